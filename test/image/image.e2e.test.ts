import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toolVersion } from '../../src/version.ts';
import { type ConfinedRun, giveToNobody, runConfined, runConfinedProgram } from '../e2e/support/confined-warden.ts';
import { localRepository } from '../e2e/support/places.ts';
import { makeTempFolder, type TempFolder, writeConfig } from '../e2e/support/warden.ts';
import { type Cluster, startCluster } from '../support/etcd.ts';
import { cleanEnvironment } from '../support/process.ts';
import { etcdBinary, etcdVersions, preparePython } from '../support/toolchain.ts';
import { assembleStages } from './assemble.ts';
import { readDockerfile } from './dockerfile.ts';

const project = resolve(import.meta.dirname, '../..');
const execute = promisify(execFile);

let cluster: Cluster;
let folder: TempFolder;
let home: string;
let configFile: string;
let agent: string;
let tools: string;

beforeAll(async () => {
  cluster = await startCluster();
  folder = await makeTempFolder();
  const roots = await assembleStages(join(folder.path, 'image'), 'tools');
  [agent, tools] = [roots.get('agent') ?? '', roots.get('tools') ?? ''];
  home = join(folder.path, 'home');
  await mkdir(join(home, 'repository'), { recursive: true });
  configFile = await writeConfig(home, {
    cluster: { name: 'prod', endpoints: cluster.endpoints },
    encryption: 'none',
    repositories: [localRepository(join(home, 'repository'))],
  });
  await chmod(folder.path, 0o755);
  await giveToNobody(home);
  // Where Go's cache is cold, etcd alone takes minutes.
}, 600_000);
afterAll(async () => {
  await folder[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

const runIn = (root: string, ...args: readonly string[]): Promise<ConfinedRun> =>
  runConfined(args, {
    program: { folder: root, node: 'nodejs/bin/node', main: 'app/dist/main.js' },
    configFile,
    writable: [home],
    env: {},
  });

describe('The image', () => {
  it('holds what it needs and nothing of development', async () => {
    expect((await readdir(join(agent, 'app'))).sort()).toEqual([
      'LICENSE',
      'config.example.yaml',
      'dist',
      'node_modules',
      'package.json',
      'sbom.cdx.json',
    ]);
    const packages = await readdir(join(agent, 'app/node_modules'));
    expect(packages).toEqual(expect.arrayContaining(['pino', 'prom-client', 'node-cron', 'yaml', 'zod']));
    expect(packages).not.toEqual(expect.arrayContaining(['vitest']));
    expect(packages).not.toContain('typescript');
    expect(await readdir(join(agent, 'app/dist'))).toContain('main.js');
  });

  it('lists every package in its bill of materials, with its version', async () => {
    const bill = JSON.parse(await readFile(join(agent, 'app/sbom.cdx.json'), 'utf8')) as {
      readonly bomFormat: string;
      readonly components: readonly { readonly group?: string; readonly name: string; readonly version: string }[];
    };
    const { dependencies } = JSON.parse(await readFile(join(agent, 'app/package.json'), 'utf8')) as {
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
    expect(await runIn(agent, '--version')).toEqual({ status: 0, stdout: `${toolVersion}\n`, stderr: '' });
    const backup = await runIn(agent, 'backup', '--json');
    expect([backup.status, backup.stderr.split('\n').filter((line) => line.includes('"error"'))]).toEqual([0, []]);
    const verified = await runIn(agent, 'verify', 'latest', '--json');
    expect(JSON.parse(verified.stdout)).toMatchObject({ backups: [{ result: 'verified' }] });
  });

  it('says in its Dockerfile who it runs as and what it runs, and needs no shell for it', async () => {
    const { args, stages } = readDockerfile(await readFile(join(project, 'Dockerfile'), 'utf8'));
    const stage = stages.find(({ name }) => name === 'agent');
    const text = (name: string): string | undefined =>
      stage?.instructions.find((instruction) => instruction.name === name)?.text;
    expect([...args.keys()]).toEqual(['BUILD_IMAGE', 'GO_IMAGE', 'RUN_IMAGE']);
    expect(text('USER')).toBe('65532:65532');
    expect(text('LABEL')).toContain(`org.opencontainers.image.version="${toolVersion}"`);
    expect(JSON.parse(text('ENTRYPOINT') ?? '')).toEqual(['/nodejs/bin/node', '/app/dist/main.js']);
    expect(stage?.instructions.map(({ name }) => name)).not.toContain('RUN');
    expect(stage?.instructions.map(({ name }) => name)).not.toContain('HEALTHCHECK');
    expect((await stat(join(agent, 'app/dist/main.js'))).size).toBeGreaterThan(0);
  });
});

it('has a Dockerfile that hadolint finds no fault with', async () => {
  const hadolint = join(await preparePython(), 'hadolint');
  const { stdout } = await execute(hadolint, ['--no-fail', join(project, 'Dockerfile')]);
  expect(stdout).toBe('');
});

describe('The image with etcd and etcdutl', () => {
  const runEtcd = (program: string, ...args: readonly string[]): Promise<ConfinedRun> =>
    runConfinedProgram({ folder: tools, writable: [home], env: {} }, (seen) => [seen(join(tools, program)), ...args]);

  it('adds both of every minor version, with licences and a bill of materials, and nothing else', async () => {
    const before = new Set(await readdir(agent, { recursive: true }));
    const added = (await readdir(tools, { recursive: true })).filter((path) => !before.has(path));
    const ofEach = ['', '/LICENSES', '/etcd', '/etcdutl', '/sbom.cdx.json'];
    expect(added.sort()).toEqual([
      'opt',
      'opt/etcd',
      ...etcdVersions.flatMap((version) => ofEach.map((path) => `opt/etcd/${version}${path}`)),
    ]);
  });

  it.each(etcdVersions)('runs those of %s as nobody on a file system that cannot be written', async (version) => {
    const { version: built } = await billOf(version);
    expect(built).toMatch(new RegExp(`^${version.replace('.', '\\.')}\\.\\d+$`));
    const utility = await runEtcd(`opt/etcd/${version}/etcdutl`, 'version');
    expect(utility).toMatchObject({
      status: 0,
      stdout: expect.stringContaining(`etcdutl version: ${built}\n`) as string,
    });
    const server = await runEtcd(`opt/etcd/${version}/etcd`, '--version');
    expect(server).toMatchObject({ status: 0, stdout: expect.stringContaining(`etcd Version: ${built}\n`) as string });
  });

  it.each(etcdVersions)('ships the etcd and etcdutl %s that the tests run against', async (version) => {
    for (const name of ['etcd', 'etcdutl'] as const) {
      const [shipped, tested] = [join(tools, 'opt/etcd', version, name), etcdBinary(name, version)];
      expect([name, (await readFile(shipped)).equals(await readFile(tested))]).toEqual([name, true]);
    }
  });

  it('restores with etcdutl what the agent wrote', async () => {
    const [snapshot, dataDir] = [join(home, 'snapshot.db'), join(home, 'data')];
    await cluster.etcdctl(['put', 'greeting', 'hello']);
    for (const args of [['backup'], ['restore', 'latest', '--to', snapshot]]) {
      const { status, stdout, stderr } = await runIn(tools, ...args);
      expect([args, status], `${stdout}\n${stderr}`).toEqual([args, 0]);
    }
    const etcdutl = `opt/etcd/${cluster.version}/etcdutl`;
    const restored = await runEtcd(etcdutl, 'snapshot', 'restore', snapshot, '--data-dir', dataDir);
    expect([restored.status, restored.stderr]).toEqual([0, expect.stringContaining('restored snapshot')]);
    const database = await readFile(join(dataDir, 'member/snap/db'));
    expect(database.includes('greeting')).toBe(true);
  });

  it.each(etcdVersions)('lists what was linked into those of %s, each with its licence', async (version) => {
    const { modules } = await billOf(version);
    const programs = ['etcd', 'etcdutl'].map((name) => join(tools, 'opt/etcd', version, name));
    const { stdout } = await execute('go', ['version', '-m', ...programs], { env: cleanEnvironment() });
    const linked = [...stdout.matchAll(/^\t(?:mod|dep)\t(\S+)\t(\S+)/gm)].map(([, name, of]) => `${name} ${of}`);
    const [, go = ''] = /: go(\S+)$/m.exec(stdout) ?? [];
    expect([...modules].sort()).toEqual([...new Set([...linked, `stdlib ${go}`])].sort());
    const licences = await readFile(join(tools, 'opt/etcd', version, 'LICENSES'), 'utf8');
    expect(modules.filter((module) => !licences.includes(`==== ${module}: LICENSE`))).toEqual([]);
    expect(licences).toContain('Apache License');
  });

  it('has everything that the documentation names', async () => {
    const page = await readFile(join(project, 'docs/kubernetes.md'), 'utf8');
    const named = [...page.matchAll(/\/opt\/etcd\/\d\S+/g)].map(([path]) => path);
    expect(named.length).toBeGreaterThan(0);
    for (const path of named) expect([path, (await stat(join(tools, path))).mode & 0o111]).toEqual([path, 0o111]);
  });

  /** Version of etcd, and `name version` of every module. */
  async function billOf(version: string): Promise<{ readonly version: string; readonly modules: readonly string[] }> {
    const bill = JSON.parse(await readFile(join(tools, 'opt/etcd', version, 'sbom.cdx.json'), 'utf8')) as {
      readonly metadata: { readonly component: { readonly version: string } };
      readonly components: readonly { readonly name: string; readonly version: string; readonly purl: string }[];
    };
    for (const { name, version: of, purl } of bill.components) expect(purl).toBe(`pkg:golang/${name}@${of}`);
    const modules = bill.components.map((component) => `${component.name} ${component.version}`);
    return { version: bill.metadata.component.version, modules };
  }
});
