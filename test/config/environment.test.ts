import { describe, expect, it } from 'vitest';
import { configOf, errorsOf, minimalConfig } from './minimal-config.ts';

const withBucket = (written: string) => minimalConfig.replace('/var/backups/etcd', () => written);
const pathOf = (written: string, environment: Record<string, string>) => {
  const { store } = configOf(withBucket(written), environment).repositories[0] ?? {};
  return store?.type === 'directory' ? store.path : undefined;
};

describe('the environment in a configuration', () => {
  it.each([
    ['"/b/${SITE}"', { SITE: 'north' }, '/b/north'],
    ['"/${A}/${B}"', { A: 'x', B: 'y' }, '/x/y'],
    ['"/b/${SITE:-south}"', {}, '/b/south'],
    ['"/b/${SITE:-south}"', { SITE: '' }, '/b/south'],
    ['"/b/${SITE:-}"', {}, '/b/'],
    ['"/b/${SITE}"', { SITE: '' }, '/b/'],
    ['"/b/$${SITE}"', { SITE: 'north' }, '/b/${SITE}'],
    ['"/b/$SITE"', { SITE: 'north' }, '/b/$SITE'],
    // What a variable holds is not expanded again.
    ['"/b/${SITE}"', { SITE: '${OTHER}', OTHER: 'x' }, '/b/${OTHER}'],
  ])('turns %s with %j into %s', (written, environment, path) => {
    expect(pathOf(written, environment as Record<string, string>)).toBe(path);
  });

  it('cannot add an option, whatever a variable holds', () => {
    const text = minimalConfig.replace('name: prod', 'name: ${NAME}');
    expect(errorsOf(text, { NAME: 'prod\nquota: 1GiB' })).toEqual([
      String.raw`config.yaml:2:9: cluster.name must be 1 to 40 lower-case letters, digits or hyphens, got "prod\nquota: 1GiB"`,
    ]);
  });

  it('is read as a number or boolean where the option is one, and as text elsewhere', () => {
    const text = `${minimalConfig.replace('prod', '${NUMBER}')}defrag: {maxRaftLag: "\${NUMBER}", moveLeader: "\${FLAG}"}\nsnapshot: {spool: {maxSize: "\${ZERO}"}}\n`;
    const config = configOf(text, { NUMBER: '42', FLAG: 'false', ZERO: '0' });
    expect(config.cluster.name).toBe('42');
    expect(config.defrag).toMatchObject({ maxRaftLag: 42, moveLeader: false });
    expect(config.snapshot.spool.maxSize).toEqual({ bytes: 0 });
  });

  it('does not turn text that was written as text into a number', () => {
    expect(errorsOf(`${minimalConfig}defrag: {maxRaftLag: "42"}\n`)).toEqual([
      'config.yaml:8:22: defrag.maxRaftLag must be an integer from 0 to 1000000, got "42"',
    ]);
  });

  it('names text that is no number where one is wanted', () => {
    expect(errorsOf(`${minimalConfig}defrag: {maxRaftLag: "\${LAG}"}\n`, { LAG: 'much' })).toEqual([
      'config.yaml:8:22: defrag.maxRaftLag must be an integer from 0 to 1000000, got "much"',
    ]);
  });

  it('counts a value that becomes empty as not given', () => {
    const config = configOf(`${minimalConfig}aws: {proxy: "\${HTTPS_PROXY:-}"}\nlog: {level: "\${LEVEL:-}"}\n`);
    expect(config.aws.proxy).toBeUndefined();
    expect(config.log.level).toBe('info');
  });

  it('names each variable that is not set, with its place, among all other errors', () => {
    const text = `${withBucket('"${DIR}"').replace('prod', '${CLUSTER}')}nonsense: 1\n`;
    expect(errorsOf(text).filter((error) => !/must be/.test(error))).toEqual([
      'config.yaml:2:9: the environment variable CLUSTER is not set, and ${CLUSTER} gives no default',
      'config.yaml:7:36: the environment variable DIR is not set, and ${DIR} gives no default',
      expect.stringMatching(/^config\.yaml:8:1: nonsense is not a known key/),
    ]);
  });

  it('complains of a variable once, not also of the value that it did not give', () => {
    expect(errorsOf(minimalConfig.replace('prod', '${CLUSTER}'))).toHaveLength(1);
  });

  it.each(['${1A}', '${}', '${A', '${A-b}', '${A:=b}'])('refuses the malformed reference %s', (written) => {
    const errors = errorsOf(minimalConfig.replace('name: prod', `name: '${written}'`), { A: 'a' });
    expect(errors[0]).toBe(
      'config.yaml:2:9: ${ begins a reference to the environment, written ${NAME} or ${NAME:-default}; write $${ for the characters themselves',
    );
  });

  it('leaves keys and comments as they are', () => {
    expect(errorsOf(`${minimalConfig}# \${COMMENT}\n`)).toEqual([]);
    expect(errorsOf(`${minimalConfig}"\${KEY}": 1\n`)[0]).toMatch(
      /^config\.yaml:8:1: \["\$\{KEY\}"\] is not a known key/,
    );
  });
});
