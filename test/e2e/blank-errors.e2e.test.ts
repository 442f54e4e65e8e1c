import { status } from '@grpc/grpc-js';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { craftSnapshot } from '../support/craft.ts';
import { type FakeAnswers, refusal, snapshotMessages, startFakeEtcd } from '../support/fake-etcd.ts';
import { startHttpProxy } from '../support/http-proxy.ts';
import { etcdBuckets, revisionsOf } from '../support/mvcc-history.ts';
import { awsEnvironment, cloudRepository, localRepository } from './support/places.ts';
import { type EndedWarden, startWarden } from './support/warden-process.ts';
import { makeTempFolder, type TempFolder, writeConfig } from './support/warden.ts';

let folder: TempFolder;
let repository: string;

beforeEach(async () => {
  folder = await makeTempFolder();
  repository = join(folder.path, 'repository');
  await mkdir(repository);
});
afterEach(() => folder[Symbol.asyncDispose]());

const configure = (endpoint: string, sections: object = {}): Promise<string> =>
  writeConfig(folder.path, {
    cluster: { name: 'test', endpoints: [endpoint], discovery: 'members' },
    encryption: 'none',
    repositories: [localRepository(repository)],
    log: { level: 'debug', format: 'json' },
    ...sections,
  });

/** No line of the log, and no message, is empty or breaks off where a reason should follow; the code is in both. */
function expectReasons(ended: EndedWarden): void {
  const lines = ended.stderr.trimEnd().split('\n');
  const said = lines.flatMap((line) => Object.entries(JSON.parse(line) as Record<string, unknown>));
  const isWhole = (text: string): boolean => /[\w.)\]]$/.test(text);
  expect(said.filter(([, value]) => typeof value === 'string' && !isWhole(value))).toEqual([]);
  const { error } = ended.json() as { error?: { code: string; message: string } };
  if (error === undefined) return;
  expect(error.code).toMatch(/^[a-z-]+$/);
  expect(error.message).toSatisfy(isWhole);
  expect(said).toContainEqual(['code', error.code]);
}

// field: F170
describe('what nobody catches', () => {
  test.each([
    ['empty error', /^Error without a message$/],
    ['string', /^made by a test$/],
    ['undefined', /undefined$/],
    ['aggregate', /^made by a test; Error without a message$/],
    ['gRPC error without details', /^Error 14$/],
  ])('has a code and a text in the log: %s', async (thrown, text) => {
    const asked = Promise.withResolvers<void>();
    await using fake = await startFakeEtcd({
      memberList: () => {
        asked.resolve();
        return Promise.withResolvers<never>().promise;
      },
    });
    await using warden = startWarden(['backup', '--json'], {
      configFile: await configure(fake.endpoint),
      env: { THROWN: thrown, THROWN_BY: 'rejection' },
      nodeArgs: [`--import=${join(import.meta.dirname, 'support/thrown-value.fixture.ts')}`],
    });
    await Promise.race([asked.promise, warden.ended]);
    warden.signal('SIGUSR2');
    const ended = await warden.ended;
    expect([ended.status, ended.json()]).toMatchObject([
      1,
      { error: { code: 'internal', message: expect.stringMatching(text) as string } },
    ]);
    expectReasons(ended);
  });
});

// field: F170
describe('an error of etcd without details', () => {
  const blank = (): never => {
    throw refusal(status.UNKNOWN, '');
  };
  const writes = Array.from({ length: 20 }, (_, index) => ({
    key: `/registry/pods/default/p${index}`,
    value: Buffer.alloc(900, index),
    sameTransaction: false,
  }));
  const database = craftSnapshot(etcdBuckets(revisionsOf(writes))).subarray(0, -32);
  const healthy: Partial<FakeAnswers> = {
    hashKV: () => {
      throw refusal(status.OUT_OF_RANGE, 'etcdserver: mvcc: required revision has been compacted');
    },
    snapshot: async (send) => {
      for (const message of snapshotMessages(database)) await send(message);
    },
  };

  test.each<[string, Partial<FakeAnswers>]>([
    ['when the members are listed', { memberList: blank }],
    ['when a member is asked for its state', { status: blank }],
    ['when alarms are asked for', { alarm: blank }],
    ['when a key is read', { range: blank }],
    ['when the snapshot is asked for', { snapshot: () => Promise.reject(refusal(status.UNKNOWN, '')) }],
    [
      'in the middle of the snapshot',
      {
        snapshot: async (send) => {
          for (const message of [...snapshotMessages(database)].slice(0, 1)) await send(message);
          blank();
        },
      },
    ],
    ['when a hash is compared', { hashKV: blank }],
  ])('leaves no line without a reason: %s', async (_, answers) => {
    await using fake = await startFakeEtcd({ ...healthy, ...answers });
    await using warden = startWarden(['backup', '--json'], { configFile: await configure(fake.endpoint) });
    const ended = await warden.ended;
    expect([0, 1, 3]).toContain(ended.status);
    expectReasons(ended);
  });

  test('nor does one of a store', async () => {
    await using fake = await startFakeEtcd(healthy);
    await using store = await startHttpProxy('http://127.0.0.1:1');
    store.break(() => true, { kind: 'answer', status: 400, body: '' });
    const configFile = await configure(fake.endpoint, { repositories: [cloudRepository(store.url, 'bucket')] });
    const env = awsEnvironment({ accessKeyId: 'some', secretAccessKey: 'secret' });
    await using warden = startWarden(['backup', '--json'], { configFile, env });
    const ended = await warden.ended;
    expect([ended.status, ended.json()]).toMatchObject([1, { error: { code: 'no-backup-stored' } }]);
    expectReasons(ended);
  });
});
