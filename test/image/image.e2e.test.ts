import { chmod, mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toolVersion } from '../../src/version.ts';
import { type ConfinedRun, giveToNobody, runConfined } from '../e2e/support/confined-warden.ts';
import { localRepository } from '../e2e/support/places.ts';
import { makeTempFolder, type TempFolder, writeConfig } from '../e2e/support/warden.ts';
import { type Cluster, startCluster } from '../support/etcd.ts';
import { assembleImage } from './assemble.ts';
import { readDockerfile } from './dockerfile.ts';

describe('The image', () => {
  let cluster: Cluster;
  let folder: TempFolder;
  let root: string;
  let configFile: string;

  beforeAll(async () => {
    cluster = await startCluster();
    folder = await makeTempFolder();
    root = await assembleImage(join(folder.path, 'image'));
    const home = join(folder.path, 'home');
    await mkdir(join(home, 'repository'), { recursive: true });
    configFile = await writeConfig(home, {
      cluster: { name: 'prod', endpoints: cluster.endpoints },
      encryption: 'none',
      repositories: [localRepository(join(home, 'repository'))],
    });
    await chmod(folder.path, 0o755);
    await giveToNobody(home);
  }, 300_000);
  afterAll(async () => {
    await folder[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  const run = (...args: readonly string[]): Promise<ConfinedRun> =>
    runConfined(args, {
      program: { folder: root, node: 'nodejs/bin/node', main: 'app/dist/main.js' },
      configFile,
      writable: [join(folder.path, 'home')],
      env: {},
    });

  it('holds what it needs and nothing of development', async () => {
    expect((await readdir(join(root, 'app'))).sort()).toEqual([
      'LICENSE',
      'config.example.yaml',
      'dist',
      'node_modules',
      'package.json',
      'sbom.cdx.json',
    ]);
    const packages = await readdir(join(root, 'app/node_modules'));
    expect(packages).toEqual(expect.arrayContaining(['pino', 'prom-client', 'node-cron', 'yaml', 'zod']));
    expect(packages).not.toEqual(expect.arrayContaining(['vitest']));
    expect(packages).not.toContain('typescript');
    expect(await readdir(join(root, 'app/dist'))).toContain('main.js');
  });

  it('lists every package in its bill of materials, with its version', async () => {
    const bill = JSON.parse(await readFile(join(root, 'app/sbom.cdx.json'), 'utf8')) as {
      readonly bomFormat: string;
      readonly components: readonly { readonly group?: string; readonly name: string; readonly version: string }[];
    };
    const { dependencies } = JSON.parse(await readFile(join(root, 'app/package.json'), 'utf8')) as {
      readonly dependencies: Readonly<Record<string, string>>;
    };
    const listed = new Map(
      bill.components.map(({ group, name, version }) => [group === undefined ? name : `${group}/${name}`, version]),
    );
    for (const [name, version] of Object.entries(dependencies))
      expect([name, listed.get(name)]).toEqual([name, version]);
    expect(bill.bomFormat).toBe('CycloneDX');
  });

  it('runs as nobody on a file system that cannot be written', async () => {
    expect(await run('--version')).toEqual({ status: 0, stdout: `${toolVersion}\n`, stderr: '' });
    const backup = await run('backup', '--json');
    expect([backup.status, backup.stderr.split('\n').filter((line) => line.includes('"error"'))]).toEqual([0, []]);
    const verified = await run('verify', 'latest', '--json');
    expect(JSON.parse(verified.stdout)).toMatchObject({ backups: [{ result: 'verified' }] });
  });

  it('says in its Dockerfile who it runs as and what it runs, and needs no shell for it', async () => {
    const { args, stages } = readDockerfile(await readFile(resolve(import.meta.dirname, '../../Dockerfile'), 'utf8'));
    const agent = stages.find(({ name }) => name === 'agent');
    const text = (name: string): string | undefined =>
      agent?.instructions.find((instruction) => instruction.name === name)?.text;
    expect([...args.keys()]).toEqual(['BUILD_IMAGE', 'RUN_IMAGE']);
    expect(text('USER')).toBe('65532:65532');
    expect(JSON.parse(text('ENTRYPOINT') ?? '')).toEqual(['/nodejs/bin/node', '/app/dist/main.js']);
    expect(agent?.instructions.map(({ name }) => name)).not.toContain('RUN');
    expect(agent?.instructions.map(({ name }) => name)).not.toContain('HEALTHCHECK');
    expect((await stat(join(root, 'app/dist/main.js'))).size).toBeGreaterThan(0);
  });
});
