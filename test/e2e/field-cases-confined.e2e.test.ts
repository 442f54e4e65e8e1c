import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cluster, startCluster } from '../support/etcd.ts';
import { startKms } from '../support/kms.ts';
import { type S3Server, startS3Server } from '../support/s3.ts';
import { type ConfinedRun, giveToNobody, nobody, runConfined } from './support/confined-warden.ts';
import { fill } from './support/filled-cluster.ts';
import { awsEnvironment, cloudRepository, localRepository, makePlaces, type Places } from './support/places.ts';

const refuseChildren = join(import.meta.dirname, 'support/refuse-children.fixture.ts');

const stack = new AsyncDisposableStack();
let cluster: Cluster;
let s3: S3Server;
let places: Places;
let spool: string;
let target: string;
let configFile: string;
let env: Record<string, string>;

beforeAll(async () => {
  [cluster, s3] = await Promise.all([startCluster(), startS3Server()]);
  const kms = stack.use(await startKms());
  stack.use(cluster);
  stack.use(s3);
  places = stack.use(await makePlaces(s3));
  await fill(cluster.endpoints[0] ?? '', 8);
  [spool, target] = [join(places.folder, 'spool'), join(places.folder, 'restored')];
  for (const folder of [spool, target]) await mkdir(folder);
  env = awsEnvironment(s3.credentials);
  configFile = await places.configure({
    cluster: { name: 'test', endpoints: cluster.endpoints },
    coordination: { lock: 'etcd' },
    snapshot: { spool: { directory: spool, maxSize: '16MiB' } },
    aws: { region: 'us-east-1', kmsEndpoint: kms.endpoint },
    encryption: { recipients: [{ type: 'aws-kms', keyArn: await kms.createKey() }] },
    repositories: [cloudRepository(s3.endpoint, places.bucket), localRepository(places.directory)],
  });
});
afterAll(() => stack.disposeAsync());

// field: F162
test('the fixture that lets no command start another program does so', async () => {
  const args = [`--import=${refuseChildren}`, '-e', "require('node:child_process').spawnSync('true')"];
  await expect(promisify(execFile)(process.execPath, args)).rejects.toThrow('was to be started');
});

// field: F162
// field: F163
test('backup, verify and restore need no other program, no user, no home, and write only where they are told to', async () => {
  await giveToNobody(places.folder);
  const open = join(places.folder, 'open-to-all');
  await mkdir(open);
  await chmod(open, 0o777);
  const run = (...args: readonly string[]): Promise<ConfinedRun> =>
    runConfined([...args, '--json'], {
      configFile,
      env: { ...env, PATH: '/nonexistent' },
      writable: [spool, places.directory, target],
      imports: [refuseChildren],
    });
  const restored = join(target, 'snapshot.db');
  for (const args of [['backup'], ['verify', 'latest'], ['restore', 'latest', '--to', restored]]) {
    const { status, stdout, stderr } = await run(...args);
    expect([args, status], `${stdout}\n${stderr}`).toEqual([args, 0]);
  }
  expect((await stat(restored)).uid).toBe(nobody);
  expect(await readdir(spool)).toEqual([]);
  // The rest of the system is read-only indeed, also where its mode says otherwise.
  const refused = await run('restore', 'latest', '--to', join(open, 'snapshot.db'));
  expect([refused.status, JSON.parse(refused.stdout)]).toMatchObject([
    1,
    { error: { code: 'file-failed', message: expect.stringContaining('EROFS') as string } },
  ]);
});
