import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WardenError } from '../../src/errors/warden-error.ts';
import { toolVersion } from '../../src/version.ts';
import { runCli } from './streams.ts';

const commands = ['backup', 'list', 'show', 'verify', 'restore', 'hold', 'release', 'inspect', 'config', 'run'];
const contacting = [
  ['backup'],
  ['list'],
  ['show', 'latest'],
  ['verify'],
  ['restore', 'latest', '--to', '/no/such/file'],
  ['hold', 'latest', '--reason', 'why'],
  ['release', 'latest'],
];

describe('the command line', () => {
  let folder: string;
  let configFile: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'etcd-warden-cli-'));
    configFile = join(folder, 'config.yaml');
    await mkdir(join(folder, 'repository'));
    await writeFile(
      configFile,
      `\
cluster: {name: prod, endpoints: [http://127.0.0.1:1]}
encryption: none
repositories: [{name: local, store: {type: directory, path: ${join(folder, 'repository')}}}]
schedules: {backup: {cron: "*/30 * * * *"}, drill: {cron: "30 4 * * 0"}}
`,
    );
  });

  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  describe('that is used wrongly', () => {
    it.each<[string, string[], RegExp]>([
      ['an unknown command', ['bakcup'], /unknown command 'bakcup'.*backup/],
      ['an unknown option', ['list', '--repositry', 'x'], /unknown option '--repositry'.*--repository/],
      ['a missing argument', ['show'], /missing required argument 'id'/],
      ['a missing option', ['restore', 'latest'], /required option '--to <file>'/],
      ['an option without its value', ['list', '--config'], /'--config <file>' argument missing/],
      ['too many arguments', ['backup', 'now'], /too many arguments/],
      ['an unknown log level', ['--log-level', 'loud', 'list'], /'loud' is invalid.*debug, info, warn/],
      ['a tag without a value', ['backup', '--tag', 'why'], /'why' is invalid.*key=value/],
      [
        'too many tags',
        ['backup', ...Array.from({ length: 65 }, (_, i) => ['--tag', `t${i}=x`]).flat()],
        /at most 64 tags/,
      ],
      ['standard output as a target', ['restore', 'latest', '--to', '-'], /--to must be a file/],
      ['a tag with a space in its key', ['backup', '--tag', 'a b=c'], /key=value/],
      ['part 3 of 2', ['verify', '--subset', '3/2'], /1 ≤ n ≤ t/],
      ['part 0 of 2', ['verify', '--subset', '0/2'], /1 ≤ n ≤ t/],
      ['a lineage that is no number', ['list', '--lineage', '../other'], /hexadecimal/],
      ['ids and --all together', ['verify', 'latest', '--all'], /only one of them/],
      ['--all and --subset together', ['verify', '--all', '--subset', '1/2'], /only one of them/],
      ['--rotation and an id', ['verify', 'latest', '--rotation', '1/2'], /only one of them/],
      ['--rotation 2/1', ['verify', '--rotation', '2/1'], /1 ≤ n ≤ t/],
      ['no command', [], /a command is missing/],
      ['no command of config', ['config'], /a command is missing/],
    ])('(%s) is answered with status 2 and one JSON document', async (_, args, message) => {
      const ran = await runCli(['--json', ...args]);
      expect([ran.status, ran.json()]).toEqual([
        2,
        {
          error: expect.objectContaining({
            code: 'usage',
            message: expect.stringMatching(message) as unknown,
          }) as unknown,
        },
      ]);
    });

    it('tells people once, with a hint', async () => {
      const ran = await runCli(['bakcup']);
      expect([ran.status, ran.stdout, ran.stderr]).toEqual([
        2,
        '',
        "error: unknown command 'bakcup' (Did you mean backup?)\nhint:  See `etcd-warden help` for commands and options. [usage]\n",
      ]);
    });

    it('shows the help on stderr where there is no command at all', async () => {
      const ran = await runCli([]);
      expect([ran.status, ran.stdout]).toEqual([2, '']);
      expect(ran.stderr).toContain('Usage: etcd-warden [options] [command]');
    });
  });

  describe('without a configuration', () => {
    it.each(contacting)('%s is answered with status 2 and a next step, and nothing is contacted', async (...args) => {
      const ran = await runCli([...args, '--json']);
      expect([ran.status, ran.json()]).toEqual([
        2,
        {
          error: {
            code: 'config-not-found',
            message: 'no configuration file was named',
            hint: expect.stringContaining('--config FILE or ETCD_WARDEN_CONFIG') as unknown,
            details: {},
          },
        },
      ]);
    });

    it.each(contacting)('%s names a file that is not there', async (...args) => {
      const ran = await runCli([...args, '--config', join(folder, 'no.yaml'), '--json']);
      expect([ran.status, ran.json()]).toMatchObject([2, { error: { code: 'config-not-found' } }]);
    });

    it('shows the schema all the same', async () => {
      const ran = await runCli(['config', 'schema']);
      expect(ran.status).toBe(0);
      expect(JSON.parse(ran.stdout)).toMatchObject({ $schema: 'http://json-schema.org/draft-07/schema#' });
    });
  });

  describe('with a configuration', () => {
    it.each([
      ['before the command', () => ['--config', configFile, 'list', '--json'], () => ({})],
      ['after the command', () => ['list', '--json', '--config', configFile], () => ({})],
      ['in the environment', () => ['--json', 'list'], () => ({ ETCD_WARDEN_CONFIG: configFile })],
    ])('takes it %s', async (_, args, env) => {
      const ran = await runCli(args(), { env: env() });
      expect([ran.status, ran.json()]).toEqual([
        0,
        { repositories: [{ name: 'local', foreignObjects: 0, otherClusters: [], backups: [] }] },
      ]);
    });

    it('prefers the option to the environment', async () => {
      const ran = await runCli(['--config', configFile, 'list'], { env: { ETCD_WARDEN_CONFIG: '/no/such' } });
      expect([ran.status, ran.stdout]).toEqual([0, 'repository local\n  no backups\n\n']);
    });

    it('checks it, and notes what this version does not act on', async () => {
      const ran = await runCli(['config', 'check', '--config', configFile]);
      expect([ran.status, ran.stdout]).toEqual([
        0,
        `${configFile} is valid; the files named in it, etcd and the stores were not looked at\nnote: schedules.drill is checked, but this version does not act on it yet\n`,
      ]);
    });

    it('tells every error of it at once, one a line', async () => {
      const broken = join(folder, 'broken.yaml');
      await writeFile(broken, 'cluster: {name: PROD, endpoints: []}\nencryption: none\nrepositories: []\n');
      const ran = await runCli(['config', 'check', '--config', broken]);
      expect([ran.status, ran.stdout]).toEqual([2, '']);
      const lines = ran.stderr.split('\n');
      expect(lines.filter((line) => line.includes('broken.yaml:'))).toHaveLength(3);
      expect(lines.at(-2)).toContain('[config-invalid]');
    });

    it('names the repositories that there are where another one is asked for', async () => {
      const ran = await runCli(['list', '--repository', 'remote', '--config', configFile, '--json']);
      expect([ran.status, ran.json()]).toMatchObject([
        2,
        { error: { code: 'usage', message: '--repository must be one of local, got "remote"' } },
      ]);
    });

    it.each(['show', 'verify'])('%s of a backup that is not there fails', async (command) => {
      const ran = await runCli([command, 'latest', '--config', configFile, '--json', '--log-level', 'silent']);
      expect([ran.status, ran.json()]).toMatchObject([1, { error: { code: 'backup-not-found' } }]);
    });

    it('ends with the reason of an interruption', async () => {
      const signal = AbortSignal.abort(new WardenError('interrupted', 'ended by SIGTERM'));
      const ran = await runCli(['list', '--config', configFile, '--json'], { signal });
      expect([ran.status, ran.json()]).toMatchObject([
        1,
        { error: { code: 'interrupted', message: 'ended by SIGTERM' } },
      ]);
    });
  });

  describe('for help', () => {
    it('names every command and the exit statuses', async () => {
      const ran = await runCli(['help']);
      expect([ran.status, ran.stderr]).toEqual([0, '']);
      for (const command of commands) expect(ran.stdout).toMatch(new RegExp(`^ {2}${command}\\b`, 'm'));
      expect(ran.stdout).toContain('Exit status: 0 done');
    });

    it.each(commands)('%s has help of its own', async (command) => {
      const ran = await runCli([command, '--help']);
      expect([ran.status, ran.stderr]).toEqual([0, '']);
      expect(ran.stdout).toContain(`Usage: etcd-warden ${command}`);
      expect(ran.stdout).not.toContain('[object Object]');
    });

    it.each([['--version'], ['-V']])('%s prints the version and nothing else', async (flag) => {
      const ran = await runCli([flag]);
      expect([ran.status, ran.stdout, ran.stderr]).toEqual([0, `${toolVersion}\n`, '']);
    });
  });

  describe('inspecting a file', () => {
    it('prints the facts of a damaged one and ends with status 3', async () => {
      const file = join(folder, 'nonsense.db');
      await writeFile(file, Buffer.alloc(4096, 1));
      const ran = await runCli(['inspect', file, '--json']);
      expect([ran.status, ran.json()]).toMatchObject([
        3,
        { path: file, verdict: 'damaged', error: { code: expect.any(String) as unknown } },
      ]);
    });

    it('says that a file is not there', async () => {
      const ran = await runCli(['inspect', join(folder, 'no.db'), '--json']);
      expect([ran.status, ran.json()]).toMatchObject([1, { error: { code: 'file-failed' } }]);
    });
  });
});
