import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createEtcd } from '../src/adapters/etcd/etcd.ts';
import { createAesKeyFileProvider } from '../src/adapters/keys/aes-key-file.ts';
import { createInspector } from '../src/inspect/inspector.ts';
import { prepareSealing, seal, type Sealing } from '../src/snapshot/seal.ts';

export interface Stage {
  readonly name: string;
  readonly seconds: number;
}

type Bytes = AsyncIterable<Uint8Array>;
type Wrap = (stream: Bytes) => Promise<Bytes> | Bytes;

/** The same stream from the same etcd through one stage more each time; what a stage costs is the difference. */
export async function measureStages(endpoint: string, folder: string): Promise<Stage[]> {
  const keyFile = join(folder, 'stages.key');
  await writeFile(keyFile, randomBytes(32));
  await using key = createAesKeyFileProvider({ file: keyFile, name: 'bench' });
  const zstd = { algorithm: 'zstd', level: 1 } as const;
  const encryption = { providers: [key], context: { bench: 'stages' } };
  const stages: [name: string, wrap: Wrap][] = [
    ['receive', (stream) => stream],
    ['receive, inspect', inspect],
    ['receive, inspect, zstd', (stream) => sealWith({ compression: zstd, encryption: 'none' })(inspect(stream))],
    [
      'receive, inspect, encrypt',
      (stream) => sealWith({ compression: { algorithm: 'none' }, encryption })(inspect(stream)),
    ],
    ['receive, inspect, zstd, encrypt', (stream) => sealWith({ compression: zstd, encryption })(inspect(stream))],
  ];
  const measured: Stage[] = [];
  for (const [name, wrap] of stages) measured.push({ name, seconds: await timeStage(endpoint, wrap) });
  return measured;
}

async function timeStage(endpoint: string, wrap: Wrap): Promise<number> {
  const { signal } = new AbortController();
  await using etcd = createEtcd({ endpoints: [endpoint], discovery: 'static', endpointMap: new Map() });
  const view = await etcd.discover(signal);
  const [member] = view.members;
  if (member === undefined) throw new Error('no member');
  await using client = etcd.connect(member);
  const startedMs = performance.now();
  await using stream = await client.openSnapshot({ idleTimeoutMs: 30_000 }, signal);
  for await (const block of await wrap(stream)) if (block.length === 0) throw new Error('an empty block');
  return (performance.now() - startedMs) / 1000;
}

async function* inspect(stream: Bytes): AsyncGenerator<Uint8Array, void> {
  const inspector = createInspector();
  for await (const block of stream) {
    inspector.write(block);
    yield block;
  }
  if (inspector.finish().verdict !== 'sound') throw new Error('the snapshot is not sound');
}

function sealWith(sealing: Sealing): (stream: Bytes) => Promise<Bytes> {
  return async (stream) => {
    const { signal } = new AbortController();
    return seal(stream, await prepareSealing(sealing, signal), signal);
  };
}
