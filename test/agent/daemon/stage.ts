import type { Parts, Tellers } from '../../../src/agent/compose.ts';
import type { Config } from '../../../src/config/schema.ts';
import type { ClusterLock } from '../../../src/ports/lock.ts';
import type { ObjectStore } from '../../../src/ports/object-store.ts';
import { repositoryNamed, type TestRepository } from '../../jobs/repositories.ts';
import { createMemoryLock } from '../../support/memory-lock.ts';
import { listedBy, memoryParts } from '../memory-parts.ts';

/** What a daemon works on, in memory, and what goes wrong with it. */
export interface Stage {
  readonly local: TestRepository;
  /** What happens where each run takes the lock of the cluster, in turn. */
  runs: ((signal: AbortSignal) => Promise<void>)[];
  /** How the repository lists, in place of what it does by itself. */
  list: ObjectStore['list'] | undefined;
  /** Called with the parts of each run and look. */
  changeParts: (parts: Parts) => Parts;
  /** How many runs were there at once. */
  readonly mostAtWork: number;
  readonly open: (config: Config, tellers: Tellers) => Promise<Parts>;
}

export function setStage(): Stage {
  const local = repositoryNamed('local');
  const lock = createMemoryLock();
  let atWork = 0;
  let mostAtWork = 0;
  const acquire: ClusterLock['acquire'] = async (holder, signal) => {
    mostAtWork = Math.max(mostAtWork, (atWork += 1));
    try {
      await stage.runs.shift()?.(signal);
    } finally {
      atWork -= 1;
    }
    return lock.acquire(holder, signal);
  };
  const stage: Stage = {
    local,
    runs: [],
    list: undefined,
    changeParts: (parts) => parts,
    get mostAtWork() {
      return mostAtWork;
    },
    open: async (_, tellers) => {
      const repositories = [listedBy(local, () => stage.list)];
      return stage.changeParts(memoryParts({ ...tellers, repositories, lock: { acquire } }));
    },
  };
  return stage;
}

/** A run that takes so long, by the faked clock, and does not heed who wants it to end. */
export const takes = (ms: number) => (): Promise<void> => new Promise((done) => setTimeout(done, ms));
