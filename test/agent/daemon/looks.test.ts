import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Parts } from '../../../src/agent/compose.ts';
import { Knowledge } from '../../../src/agent/daemon/knowledge.ts';
import { Looks } from '../../../src/agent/daemon/looks.ts';
import type { Config } from '../../../src/config/schema.ts';
import type { ObjectStore } from '../../../src/ports/object-store.ts';
import { configOf, minimalConfig } from '../../config/minimal-config.ts';
import { failingListing, fieldsLog, repositoryNamed, type TestRepository } from '../../jobs/repositories.ts';
import { untilAborted } from '../../support/defrag-cluster.ts';
import { wardenError } from '../../support/errors.ts';
import { fakedClock, startTheClock, stopTheClock } from '../../support/pass-time.ts';
import { refuses } from '../../support/scripted-etcd.ts';
import { etcdAfter, listedBy, memoryParts, recordedMeasures, type RecordedMeasures } from '../memory-parts.ts';

vi.mock('node:timers/promises', () => import('../../support/fake-delay.ts'));

const configuration = (members: string): Config =>
  configOf(`${minimalConfig}watch: {repositories: 5m, members: ${members}}\n`);

describe('What is looked at again and again', () => {
  let local: TestRepository;
  let list: ObjectStore['list'] | undefined;
  let onMembers: (signal: AbortSignal) => Promise<void>;
  let config: Config;
  let knowledge: Knowledge;
  let log: ReturnType<typeof fieldsLog>;
  let measures: RecordedMeasures;
  let open: (parts: Parts) => Promise<Parts>;
  let opened: number;
  let released: number;
  /** How often was listed, and how often the members were asked. */
  let looks: { repositories: number; members: number };

  beforeEach(() => {
    stopTheClock(new Date('2026-11-25T12:00:00Z'));
    local = repositoryNamed('local');
    list = undefined;
    onMembers = async () => undefined;
    config = configuration('30s');
    knowledge = new Knowledge();
    log = fieldsLog();
    measures = recordedMeasures();
    open = async (parts) => parts;
    [opened, released] = [0, 0];
    looks = { repositories: 0, members: 0 };
  });
  afterEach(startTheClock);

  function begin(): Looks {
    return new Looks({
      clock: fakedClock,
      log,
      measures,
      knowledge,
      config: () => config,
      open: (_, tellers) => {
        opened += 1;
        const counted: ObjectStore['list'] = (prefix, signal) => {
          looks.repositories += 1;
          return list === undefined ? local.store.list(prefix, signal) : list(prefix, signal);
        };
        return open(
          memoryParts({
            ...tellers,
            repositories: [listedBy(local, () => counted)],
            etcd: etcdAfter((signal) => {
              looks.members += 1;
              return onMembers(signal);
            }),
            [Symbol.asyncDispose]: async () => void (released += 1),
          }),
        );
      },
    });
  }
  const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
  const warnings = (): string[] => log.lines.flatMap(([level, text]) => (level === 'warn' ? [text] : []));

  it('are repositories and members, at once and each in its interval, with parts of its own that are released', async () => {
    await using _ = begin();
    await pass(0);
    expect(looks).toEqual({ repositories: 1, members: 1 });
    await pass(300_000);
    expect(looks).toEqual({ repositories: 2, members: 11 });
    expect([opened, released]).toEqual([13, 13]);
    expect(knowledge.repositories.get('local')?.summary).toBeDefined();
    expect(knowledge.members).toBeDefined();
    expect(measures.of('certificatesRead').length).toBe(2);
  });

  it('are looked at by the configuration as it is then', async () => {
    await using _ = begin();
    await pass(0);
    config = configuration('5s');
    await pass(60_000);
    expect(looks.members).toBe(1 + 1 + 6);
  });

  it('are looked at as soon as something changed', async () => {
    await using watching = begin();
    await pass(1000);
    watching.repositoriesChanged();
    await pass(0);
    expect(looks).toEqual({ repositories: 2, members: 1 });
    watching.membersChanged();
    await pass(0);
    expect(looks).toEqual({ repositories: 2, members: 2 });
  });

  it('are told of once where they fail, and again when they are back', async () => {
    list = () => failingListing(refuses('store-unreachable', 'no way there'));
    onMembers = () => Promise.reject(refuses('etcd-unreachable', 'nobody answers'));
    await using _ = begin();
    await pass(900_000);
    expect(looks.repositories).toBe(4);
    expect(warnings()).toEqual(['the repository cannot be listed', 'the members cannot be asked']);
    list = undefined;
    onMembers = async () => undefined;
    await pass(300_000);
    const told = log.lines.flatMap(([level, text]) => (level === 'info' ? [text] : []));
    expect(told.sort()).toEqual(['the members can be asked again', 'the repository can be listed again']);
  });

  it('are tried again where their parts cannot be had now, which is told once', async () => {
    let isReadable = false;
    open = async (parts) => {
      if (!isReadable) throw refuses('secret-unreadable', 'the key file is gone');
      return parts;
    };
    await using _ = begin();
    await pass(60_000);
    expect([looks.members, knowledge.members]).toEqual([0, undefined]);
    expect(warnings()).toEqual(['a look was not possible', 'a look was not possible']);
    // Whoever asks is told as well.
    expect([knowledge.membersFailure?.error.code, knowledge.repositories.get('local')?.failure?.error.code]).toEqual([
      'secret-unreadable',
      'secret-unreadable',
    ]);
    isReadable = true;
    await pass(30_000);
    expect(knowledge.members).toBeDefined();
  });

  it('end by themselves where even their parts hang, and say so of what they could not see', async () => {
    await using watching = begin();
    await pass(0);
    measures.told.length = 0;
    open = () => new Promise(() => undefined);
    await pass(300_000 + 150_000);
    const tooLong = (what: string) => wardenError('look-too-long', `a look at ${what} did not end within 150 s`);
    expect(knowledge.repositories.get('local')?.failure).toEqual({
      error: tooLong('the repositories'),
      since: new Date('2026-11-25T12:07:30Z'),
    });
    // From thirty seconds on, and again and again.
    expect(knowledge.membersFailure).toEqual({
      error: tooLong('the members'),
      since: new Date('2026-11-25T12:03:00Z'),
    });
    expect(measures.of('membersSeen')[0]).toEqual([[expect.objectContaining({ name: 'm1', reachable: false })]]);
    expect(warnings()).toEqual(['a look was not possible', 'a look was not possible']);
    // Somebody still looks.
    expect(watching.deadBecause).toBeUndefined();
    open = async (parts) => parts;
    await pass(300_000);
    expect([knowledge.membersFailure, knowledge.repositories.get('local')?.failure]).toEqual([undefined, undefined]);
  });

  it('are dead where one of them does not come around any more, and not where they fail', async () => {
    onMembers = () => Promise.reject(refuses('etcd-unreachable', 'nobody answers'));
    await using watching = begin();
    await pass(1_800_000);
    expect(watching.deadBecause).toBeUndefined();
    // Time goes on, and no timer fires.
    vi.setSystemTime(Date.now() + 600_000);
    expect(watching.deadBecause).toMatch(/^the look at the (repositories|members) is overdue by \d+m \d+s$/);
  });

  it('end with a defect, and tell it', async () => {
    open = () => Promise.reject(new TypeError('undefined is not a function'));
    await using watching = begin();
    await expect(watching.failed).rejects.toThrow('undefined is not a function');
  });

  it('end at disposal, in the middle too, and that is no fault of anybody', async () => {
    onMembers = untilAborted;
    list = (_, signal) => ({ [Symbol.asyncIterator]: () => ({ next: () => untilAborted(signal) }) });
    const watching = begin();
    await pass(1000);
    await watching[Symbol.asyncDispose]();
    expect([released, log.lines]).toEqual([2, []]);
    expect(await watching.failed).toBeUndefined();
    await pass(600_000);
    expect([opened, looks]).toEqual([2, { repositories: 1, members: 1 }]);
  });
});
