import { describe, expect, it } from 'vitest';
import { renderExample } from '../../src/config/example.ts';
import { printConfig } from '../../src/config/print.ts';
import { unusedSections } from '../../src/config/unused-sections.ts';
import { configOf, minimalConfig } from './minimal-config.ts';

/** Everything but where it came from, which differs. */
const settingsOf = (text: string) => ({ ...configOf(text), source: undefined });

describe('the printed configuration', () => {
  it.each([
    ['the least', minimalConfig],
    ['the example', renderExample()],
    [
      'every kind of value',
      `${minimalConfig.replace('name: prod', 'name: prod\n  quota: 8GiB\n  metrics: "http://{host}:2381/metrics"')}
snapshot: {compression: none, idleTimeout: 1500ms}
http: {listen: "[::1]:9427"}
schedules: {verify: {subset: 2/7}, defrag: {windows: [{days: [sat], from: 22:30, to: 04:00}]}}
defrag: {emergencyUsage: 87.5%, rules: [{reclaimableAbove: 12.5%ofQuota}, {reclaimableAbove: 1536KiB}]}
`,
    ],
    [
      'what looks like the environment',
      minimalConfig.replace('/var/backups', () => '"/a@b:c/$${HOME}').replace('etcd}', 'etcd"}'),
    ],
  ])('of %s loads again and means the same', (_, text) => {
    const printed = printConfig(configOf(text));
    expect(settingsOf(printed)).toEqual(settingsOf(text));
    expect(printConfig(configOf(printed))).toBe(printed);
  });

  it('shows every default with its unit', () => {
    const printed = printConfig(configOf(minimalConfig));
    expect(printed).toContain('  idleTimeout: 30s\n');
    expect(printed).toContain('  minReclaim: 32MiB\n');
    expect(printed).toContain('      maxRemovedPercent: 50%\n');
    expect(printed).toContain('    - usageAbove: 75%\n'.replace('    - ', '      '));
    expect(printed).not.toContain('source');
  });

  it('puts the environment in, but never credentials of a URL', () => {
    const text = `${minimalConfig}aws: {proxy: "\${PROXY}"}\npush: {gateway: "http://u:hunter2@push:9091"}\n`;
    const config = configOf(text, { PROXY: 'http://user:hunter2@proxy:3128' });
    expect(config.aws.proxy).toBe('http://user:hunter2@proxy:3128');
    expect(printConfig(config)).toContain('proxy: http://REDACTED@proxy:3128\n');
    expect(printConfig(config)).not.toContain('hunter2');
  });

  it.each([
    [
      'push: {gateway: "$"}',
      'http://push:9091/base?token=hunter2&of=prod',
      'http://push:9091/base?token=REDACTED&of=REDACTED',
    ],
    ['push: {gateway: "$"}', 'https://u:p%40ss@push/?hunter2', 'https://REDACTED@push/?REDACTED'],
    ['aws: {proxy: "$"}', 'http://proxy:3128/?key=a=hunter2;hunter2', 'http://proxy:3128/?key=REDACTED;REDACTED'],
  ])('redacts the query of a URL: %s of %s', (section, url, shown) => {
    const printed = printConfig(configOf(`${minimalConfig}${section.replace('$', () => url)}\n`));
    expect(printed).toContain(` ${shown}\n`);
    expect(printed).not.toContain('hunter2');
  });

  it('redacts the query of a URL that stands for several', () => {
    const text = minimalConfig.replace(
      'name: prod',
      'name: prod\n  metrics: "http://{host}:2381/metrics?token=hunter2"',
    );
    const printed = printConfig(configOf(text));
    expect(printed).toContain('metrics: http://{host}:2381/metrics?token=REDACTED\n');
    expect(printConfig(configOf(printed))).toBe(printed);
  });
});

describe('the sections that this version does not act on yet', () => {
  it('are named where the file gives them, defaults or not', () => {
    const text = `${minimalConfig}schedules: {backup: {cron: "0 * * * *"}, drill: {}}\nhttp:\n`;
    expect(unusedSections(configOf(text))).toEqual(['schedules.drill']);
  });

  it('are none where the file gives none', () => {
    expect(unusedSections(configOf(minimalConfig))).toEqual([]);
  });
});
