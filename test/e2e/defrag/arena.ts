import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Etcd3 } from 'etcd3';
import { type Cluster, type ClusterMember, startCluster } from '../../support/etcd.ts';
import type { EtcdVersion } from '../../support/toolchain.ts';
import { fill } from '../support/filled-cluster.ts';
import { makeTempFolder, writeConfig } from '../support/warden.ts';
import { fragment } from './fragment.ts';
import { type DefragCall, readDefragCalls } from './member-log.ts';
import { type Peer, PeerNetwork } from './peer-network.ts';
import { Sampler } from './sampler.ts';

export const lockKey = '/etcd-warden/lock';
const pauseMs = 300;
export const maxRaftLag = 100;

/** Enough that a defragmentation takes a quarter of a second: twelve samples. */
const liveMb = 60;
const garbageMb = 16;

/** Three members whose databases are fragmented again and again, watched and broken while the command works on them. */
export class Arena implements AsyncDisposable {
  readonly cluster: Cluster;
  readonly network: PeerNetwork;
  readonly sampler: Sampler;
  readonly client: Etcd3;
  /** One for each member. */
  readonly clients: readonly Etcd3[];
  readonly peers: ReadonlyMap<string, Peer>;
  /** For a run that takes the lock, and for one that goes on without. */
  readonly configFiles: { readonly locking: string; readonly lockless: string };
  readonly #owned: AsyncDisposableStack;
  /** What processes that are gone had printed. */
  readonly #printed = new Map<string, string>();

  private constructor(
    parts: Pick<Arena, 'cluster' | 'network' | 'sampler' | 'client' | 'clients' | 'peers' | 'configFiles'>,
    owned: AsyncDisposableStack,
  ) {
    ({
      cluster: this.cluster,
      network: this.network,
      sampler: this.sampler,
      client: this.client,
      clients: this.clients,
      peers: this.peers,
      configFiles: this.configFiles,
    } = parts);
    this.#owned = owned;
  }

  static async start(version: EtcdVersion): Promise<Arena> {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(await makeTempFolder());
    const network = stack.use(new PeerNetwork());
    const cluster = stack.use(
      await startCluster({
        version,
        members: 3,
        args: ['--log-level=info'],
        advertisePeer: (url) => network.advertise(url),
      }),
    );
    const [first = ''] = cluster.endpoints;
    await fill(first, liveMb);
    const dial = (hosts: readonly string[]): Etcd3 =>
      stack.adopt(new Etcd3({ hosts: [...hosts] }), (open) => open.close());
    const sampler = stack.use(new Sampler(cluster.members));
    const parts = {
      cluster,
      network,
      sampler,
      client: dial(cluster.endpoints),
      clients: cluster.endpoints.map((endpoint) => dial([endpoint])),
      peers: await readPeers(cluster),
      configFiles: await writeConfigs(folder.path, cluster),
    };
    return new Arena(parts, stack.move());
  }

  memberOf(name: string): ClusterMember {
    const member = this.cluster.members.find((one) => one.name === name);
    if (member === undefined) throw new Error(`no member ${name}`);
    return member;
  }

  /** Starts a member again on its data. What it printed before stays in the log. */
  async restart(name: string): Promise<void> {
    const member = this.memberOf(name);
    this.#printed.set(name, (this.#printed.get(name) ?? '') + member.process.output());
    await member.restart();
  }

  /** Every Defragment call since a moment, of all members, by begin. */
  callsSince(sinceMs: number): readonly DefragCall[] {
    return this.cluster.members
      .flatMap(({ name, process }) =>
        readDefragCalls(name, (this.#printed.get(name) ?? '') + process.output(), sinceMs),
      )
      .sort((a, b) => a.beganMs - b.beganMs);
  }

  /** Makes every member due again, forgets earlier runs, and waits until nothing is left of them. */
  async fragment(): Promise<void> {
    await this.client.delete().prefix(`${lockKey}.defrag/`);
    await fragment(this.cluster, garbageMb);
    while ((await this.client.get(lockKey)) !== null) await delay(50);
    await this.settle();
  }

  /** Waits until no member works any more and one leads. */
  async settle(): Promise<void> {
    const isAtRest = (): boolean => {
      const latest = this.sampler.latest();
      return latest.every(({ isDefragmenting }) => !isDefragmenting) && latest.some(({ isLeader }) => isLeader);
    };
    while (!isAtRest()) await this.sampler.next(isAtRest, AbortSignal.timeout(60_000));
  }

  leader(): string {
    const leader = this.sampler.latest().find(({ isLeader }) => isLeader);
    if (leader === undefined) throw new Error('no member leads');
    return leader.member;
  }

  /** The one that a plan may well begin with. */
  firstFollower(): string {
    const leader = this.leader();
    return this.cluster.members.find(({ name }) => name !== leader)?.name ?? leader;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}

async function readPeers(cluster: Cluster): Promise<ReadonlyMap<string, Peer>> {
  const listed = await cluster.etcdctl(['member', 'list']);
  return new Map(
    listed
      .trim()
      .split('\n')
      .map((line) => line.split(', '))
      .map(([id = '', , name = '', peerUrl = '']) => [name, { id, peerUrl }]),
  );
}

async function writeConfigs(folder: string, { endpoints }: Cluster): Promise<Arena['configFiles']> {
  const write = async (lock: 'etcd' | 'none'): Promise<string> => {
    const home = join(folder, lock);
    await mkdir(join(home, 'repository'), { recursive: true });
    return writeConfig(home, {
      cluster: { name: 'test', endpoints },
      coordination: { lock, ttl: '10s', key: lockKey },
      encryption: 'none',
      repositories: [{ name: 'local', store: { type: 'directory', path: join(home, 'repository') } }],
      defrag: {
        rules: [{ reclaimableAbove: '8MiB' }],
        minReclaim: '1MiB',
        pause: `${pauseMs}ms`,
        maxRaftLag,
      },
    });
  };
  return { locking: await write('etcd'), lockless: await write('none') };
}
