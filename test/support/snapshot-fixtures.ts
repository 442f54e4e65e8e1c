import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cleanEnvironment, freePorts, startServer } from './process.ts';
import { etcdBinary, serverBinary, type EtcdVersion } from './toolchain.ts';

const execute = promisify(execFile);

/** One etcd of a version, and what makes snapshots of it to inspect. Disposing ends it and removes its files. */
export interface SnapshotSource extends AsyncDisposable {
  readonly endpoint: string;
  /** Runs etcdctl against it and returns what it prints. `input` goes to its standard input. */
  etcdctl(args: readonly string[], input?: string): Promise<string>;
  /** Puts `count` keys of `sizeBytes` random bytes under `prefix`; again, and each is overwritten. */
  fill(prefix: string, count: number, sizeBytes: number): Promise<void>;
  /** The current revision. */
  revision(): Promise<number>;
  /** Takes a snapshot to a file that lives as long as this source. */
  save(): Promise<SavedSnapshot>;
  /** What the member answers to HashKV at a revision. */
  hashKv(revision: number): Promise<{ readonly hash: number; readonly compactRevision: number }>;
}

export interface SavedSnapshot {
  readonly path: string;
  readonly bytes: Buffer;
}

export interface SnapshotStatus {
  readonly hash: number;
  readonly revision: number;
  readonly totalKey: number;
  readonly totalSize: number;
  readonly version?: string;
}

/** What this version's own tool says about a snapshot file. */
export async function snapshotStatus(version: EtcdVersion, path: string): Promise<SnapshotStatus> {
  const { stdout } = await execute(etcdBinary('etcdutl', version), ['snapshot', 'status', path, '-w', 'json']);
  return JSON.parse(stdout) as SnapshotStatus;
}

export async function startSnapshotSource(
  version: EtcdVersion,
  flags: readonly string[] = [],
): Promise<SnapshotSource> {
  const directory = await mkdtemp(join(tmpdir(), 'etcd-warden-snapshots-'));
  const [clientPort, peerPort] = await freePorts(2);
  const endpoint = `http://127.0.0.1:${clientPort}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  const etcdctl = async (args: readonly string[], input?: string): Promise<string> => {
    const running = execute(etcdBinary('etcdctl', version), ['--endpoints', endpoint, ...args], {
      env: cleanEnvironment(),
      maxBuffer: 64 << 20,
    });
    running.child.stdin?.end(input);
    return (await running).stdout;
  };
  const server = await startServer(
    etcdBinary('etcd', version),
    [
      '--data-dir',
      join(directory, 'data'),
      '--name',
      'one',
      '--log-level',
      'error',
      '--unsafe-no-fsync',
      '--listen-client-urls',
      endpoint,
      '--advertise-client-urls',
      endpoint,
      '--listen-peer-urls',
      peer,
      '--initial-advertise-peer-urls',
      peer,
      '--initial-cluster',
      `one=${peer}`,
      ...flags,
    ],
    async () => (await fetch(`${endpoint}/health`)).ok,
  );
  let saved = 0;
  return {
    endpoint,
    etcdctl,
    async fill(prefix, count, sizeBytes) {
      const size = ['-count', `${count}`, '-size', `${sizeBytes}`, '-batch', `${sizeBytes > 50_000 ? 1 : 16}`];
      await execute(serverBinary('etcdfill'), ['-endpoints', endpoint, '-prefix', prefix, ...size]);
    },
    async revision() {
      const answer = JSON.parse(await etcdctl(['get', 'any', '-w', 'json'])) as { header: { revision: number } };
      return answer.header.revision;
    },
    async save() {
      const path = join(directory, `snapshot-${saved++}.db`);
      await etcdctl(['snapshot', 'save', path]);
      return { path, bytes: await readFile(path) };
    },
    async hashKv(revision) {
      const printed = await etcdctl(['endpoint', 'hashkv', '--rev', `${revision}`, '-w', 'json']);
      const [answer] = JSON.parse(printed) as { HashKV: { hash: number; compact_revision: number } }[];
      if (answer === undefined) throw new Error(`etcdctl gave no HashKV: ${printed}`);
      return { hash: answer.HashKV.hash, compactRevision: answer.HashKV.compact_revision };
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
