import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Etcd3 } from 'etcd3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCluster, type Cluster } from '../support/etcd.ts';
import { Random } from './campaign/random.ts';
import { Sampler, type Sample } from './defrag/sampler.ts';
import { localRepository } from './support/places.ts';
import { startAgent, until, type LogLine, type RunningAgent } from './support/running-agent.ts';
import { LockWatch } from './support/lock-watch.ts';
import { makeTempFolder, runWarden, writeConfig, type TempFolder } from './support/warden.ts';

/*
 * Three daemons on one cluster of three members, backups every few seconds, defragmentation as often, and one daemon after
 * the other stopped, continued and killed at random. `npm run test:daemons` takes five minutes of it, `npm test` a part.
 */
const isWhole = process.env['DAEMONS'] === 'whole';
const seed = Number(process.env['DAEMONS_SEED'] ?? Math.floor(Math.random() * 1_000_000));
const lengthMs = isWhole ? 300_000 : 45_000;
const everySeconds = 5;
const ttlMs = 10_000;

describe(`three daemons of seed ${seed}`, () => {
  let cluster: Cluster;
  let folder: TempFolder;
  let repository: string;
  const random = new Random(seed);

  beforeAll(async () => {
    cluster = await startCluster({ members: 3 });
    folder = await makeTempFolder();
    repository = join(folder.path, 'repository');
    await mkdir(repository);
  });
  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  const start = async (name: string): Promise<RunningAgent> => {
    const home = join(folder.path, name);
    await mkdir(home, { recursive: true });
    return startAgent((listen) =>
      writeConfig(home, {
        cluster: { name: 'prod', endpoints: cluster.endpoints },
        coordination: { lock: 'etcd', ttl: `${ttlMs / 1000}s` },
        encryption: 'none',
        repositories: [localRepository(repository)],
        schedules: {
          backup: { cron: `*/${everySeconds} * * * * *`, jitter: '0s' },
          defrag: { cron: '*/3 * * * * *' },
        },
        defrag: { rules: [{ fragmentationAbove: '1%' }], minReclaim: '1MiB', cooldown: '0s', pause: '0s' },
        http: { listen },
      }),
    );
  };

  it(
    'take one backup a time, never beside a defragmentation, and leave no lock behind',
    async () => {
      await using stack = new AsyncDisposableStack();
      const sampler = stack.use(new Sampler(cluster.members));
      const locks = stack.use(new LockWatch(cluster));
      const logs: AgentLine[] = [];
      const remember = (name: string, agent: RunningAgent): void =>
        void logs.push(...agent.log().map((line) => ({ ...line, agent: name })));
      const agents = new Map<string, RunningAgent>();
      stack.defer(async () => {
        for (const agent of agents.values()) await agent[Symbol.asyncDispose]();
      });
      for (const name of ['a', 'b', 'c']) agents.set(name, await start(name));
      const beganMs = Date.now();
      const samples: Sample[] = [];
      const disturbed: { readonly agent: string; readonly fromMs: number; readonly toMs: number }[] = [];
      while (Date.now() - beganMs < lengthMs) {
        await makeGarbage(cluster);
        await delay(random.between(1000, 5000));
        const name = random.pick(['a', 'b', 'c']);
        const agent = agents.get(name);
        if (agent === undefined) throw new Error('no agent');
        const fromMs = Date.now();
        if (random.chance(0.5)) {
          agent.warden.signal('SIGSTOP');
          await delay(random.between(0, 2 * ttlMs));
          agent.warden.signal('SIGCONT');
        } else {
          agent.warden.signal('SIGKILL');
          await agent.warden.ended;
          locks.killed(agent.warden.pid ?? 0);
          remember(name, agent);
          await delay(random.between(0, 2000));
          agents.set(name, await start(name));
        }
        disturbed.push({ agent: name, fromMs, toMs: Date.now() });
        samples.push(...sampler.take());
      }
      const endedMs = Date.now();
      await until(() => locks.holder === undefined, 'the lock is free', 60_000);
      const ends = await Promise.all([...agents.values()].map((agent) => agent.end()));
      for (const [name, agent] of agents) remember(name, agent);
      expect(ends.map(({ signal }) => signal)).toEqual(['SIGTERM', 'SIGTERM', 'SIGTERM']);
      samples.push(...sampler.take());

      // Every time has its backup, or somebody says why not.
      const ids = await backupTimes(join(folder.path, 'a', 'config.yaml'));
      const taken = ids.map((time) => Math.floor(time / everySeconds) * everySeconds);
      const firstTick = Math.ceil(beganMs / 1000 / everySeconds) + 1;
      const ticks = Array.from(
        { length: Math.floor(endedMs / 1000 / everySeconds) - 1 - firstTick },
        (_, index) => firstTick + index,
      );
      const secondsFor = ({ for: time }: AgentLine): number => Date.parse(String(time)) / 1000;
      // One that waited for its turn is dated later than the time that it is for.
      const done = logs.filter(({ msg, job }) => isDone(msg) && job === 'backup');
      expect(ids.length).toBeGreaterThanOrEqual(done.length);
      const told = new Set([...logs.filter(isReason), ...done].map(secondsFor));
      const unexplained = ticks
        .map((tick) => tick * everySeconds)
        .filter((tick) => !taken.includes(tick) && !told.has(tick))
        .map((tick) => ({
          tick,
          logs: logs.filter(({ time }) => Math.abs(Date.parse(time) / 1000 - tick) < 15),
        }));
      expect(unexplained, `DAEMONS_SEED=${seed}`).toEqual([]);
      // Nobody takes a second one for the same time, unless a daemon that was at it was stopped meanwhile and then went on.
      const takers = Map.groupBy(done, (line) => String(line['for']));
      const doubled = [...takers].filter(([time, lines]) => {
        const atMs = Date.parse(time);
        const wasStopped = (agent: string): boolean =>
          disturbed.some((one) => one.agent === agent && one.fromMs <= atMs + 2 * ttlMs && one.toMs >= atMs);
        return lines.length > 1 && !lines.some(({ agent }) => wasStopped(agent));
      });
      expect(
        doubled.map(([time]) => time),
        `DAEMONS_SEED=${seed}`,
      ).toEqual([]);
      expect(ids.length).toBeGreaterThan(ticks.length / 3);

      expect(besideSnapshot(samples), `DAEMONS_SEED=${seed}`).toEqual([]);
      expect(
        samples.some(({ isDefragmenting }) => isDefragmenting),
        'something was defragmented',
      ).toBe(true);
      expect(locks.longestOrphanMs(), `DAEMONS_SEED=${seed}`).toBeLessThanOrEqual(ttlMs + 3_000);
    },
    lengthMs + 240_000,
  );
});

/** Some megabytes that a defragmentation gives back. A daemon may be at it before this has ended: nothing is waited for. */
async function makeGarbage({ endpoints }: Cluster): Promise<void> {
  const client = new Etcd3({ hosts: [...endpoints] });
  try {
    for (let index = 0; index < 8; index += 1) await client.put(`/garbage/${index}`).value('x'.repeat(1_000_000));
    const { header } = await client.delete().prefix('/garbage/').exec();
    await client.kv.compact({ revision: header.revision, physical: true });
  } catch {
    // A member that is being defragmented takes no writes; there will be garbage another time.
  } finally {
    client.close();
  }
}

/** When the backups were taken, in seconds. */
async function backupTimes(configFile: string): Promise<number[]> {
  const listed = (await runWarden(['list', '--all'], { configFile })) as {
    readonly repositories: readonly { readonly backups: readonly { readonly id: string }[] }[];
  };
  return listed.repositories.flatMap(({ backups }) => backups.map(({ id }) => secondsOf(id)));
}

/** Samples of a member that defragments while somebody streams a snapshot from it. */
function besideSnapshot(samples: readonly Sample[]): readonly Sample[] {
  return samples.filter(({ isDefragmenting, openSnapshots }) => isDefragmenting && openSnapshots > 0);
}

/** With the daemon that wrote it. */
interface AgentLine extends LogLine {
  readonly agent: string;
}

const isDone = (msg: unknown): boolean => msg === 'done' || msg === 'done, for the first time since it failed';

/** A run that was left out, served, or ended in an error. */
function isReason({ msg, job }: LogLine): boolean {
  return (
    job === 'backup' &&
    [
      'nothing had to be done',
      'failed',
      'ended before it was done',
      'a run was left out: the one before is under way',
      'a run was left out',
    ].includes(msg)
  );
}

/** `20261124T140000Z-…` */
function secondsOf(id: string): number {
  const iso = id.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z.*$/, '$1-$2-$3T$4:$5:$6Z');
  return Date.parse(iso) / 1000;
}
