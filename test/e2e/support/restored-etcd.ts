import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Etcd3, type IKeyValue } from 'etcd3';
import { cleanEnvironment, freePorts, startServer } from '../../support/process.ts';
import { etcdBinary, type EtcdVersion } from '../../support/toolchain.ts';
import { makeTempFolder } from './warden.ts';

const execute = promisify(execFile);

/** A single member that etcdutl made from a snapshot file. Disposing ends it and removes its data. */
export interface RestoredEtcd extends AsyncDisposable {
  /** Every key as it was at a revision, read by a plain client, a page at a time. */
  readAll(revision: number): Promise<IKeyValue[]>;
  /** What the member answers to HashKV at a revision. */
  hashKv(revision: number): Promise<number>;
}

/** `etcdutl snapshot restore` into a new folder, and etcd of the same version started on it. Rejects if either refuses. */
export async function startRestored(version: EtcdVersion, snapshotFile: string): Promise<RestoredEtcd> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await makeTempFolder());
  const dataDir = join(folder.path, 'data');
  const [endpoint, peer, metrics] = (await freePorts(3)).map((port) => `http://127.0.0.1:${port}`) as [
    string,
    string,
    string,
  ];
  const membership = ['--name=restored', `--initial-cluster=restored=${peer}`, `--initial-advertise-peer-urls=${peer}`];
  const restore = ['snapshot', 'restore', snapshotFile, `--data-dir=${dataDir}`, ...membership];
  await execute(etcdBinary('etcdutl', version), restore, { env: cleanEnvironment() });
  const listening = [
    `--listen-client-urls=${endpoint}`,
    `--advertise-client-urls=${endpoint}`,
    `--listen-peer-urls=${peer}`,
  ];
  const others = [`--data-dir=${dataDir}`, `--listen-metrics-urls=${metrics}`, '--log-level=warn', '--unsafe-no-fsync'];
  stack.use(
    await startServer(
      etcdBinary('etcd', version),
      [...membership, ...listening, ...others],
      async () => (await fetch(`${metrics}/health`, { signal: AbortSignal.timeout(2000) })).ok,
    ),
  );
  const client = stack.adopt(new Etcd3({ hosts: endpoint }), (opened) => opened.close());
  const owned = stack.move();
  return {
    readAll: (revision) => readAll(client, revision),
    async hashKv(revision) {
      const { stdout } = await execute(
        etcdBinary('etcdctl', version),
        [`--endpoints=${endpoint}`, 'endpoint', 'hashkv', `--rev=${revision}`, '--write-out=json'],
        { env: cleanEnvironment() },
      );
      const [answer] = JSON.parse(stdout) as { readonly HashKV: { readonly hash: number } }[];
      if (answer === undefined) throw new Error(`no HashKV in ${stdout}`);
      return answer.HashKV.hash;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Pages keep answers below the 4 MiB that gRPC clients accept. */
const keysOfPage = 40;

async function readAll(client: Etcd3, revision: number): Promise<IKeyValue[]> {
  const found: IKeyValue[] = [];
  const lastKey = (): Buffer => found.at(-1)?.key ?? Buffer.alloc(0);
  for (let more = true; more;) {
    const answer = await client.kv.range({
      // The key right behind the last one; a range end of one zero byte means: to the end. Source: etcd rpc.proto.
      key: Buffer.concat([lastKey(), Buffer.alloc(1)]),
      range_end: Buffer.alloc(1),
      limit: keysOfPage,
      revision,
    });
    found.push(...answer.kvs);
    more = answer.more;
  }
  return found;
}
