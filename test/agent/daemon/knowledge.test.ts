import { beforeEach, describe, expect, it } from 'vitest';
import { Knowledge } from '../../../src/agent/daemon/knowledge.ts';
import { summarizeCatalogue } from '../../../src/agent/summarize-catalogue.ts';
import { WardenError } from '../../../src/errors/warden-error.ts';
import { cluster as clusterFacts } from '../../defrag/cluster.ts';

const at = (minute: number): Date => new Date(Date.UTC(2026, 10, 25, 12, minute));
const broken = new WardenError('store-failed', 'the store is gone');

describe('What is known of jobs', () => {
  it('is forgotten of those that are scheduled no more', () => {
    const knowledge = new Knowledge();
    const error = new WardenError('defrag-refused', 'not now');
    for (const job of ['backup', 'defrag'] as const) knowledge.jobEnded(job, error, new Date(0));
    knowledge.keepJobs(new Set(['backup']));
    expect([
      knowledge.failures.map(({ job }) => job),
      knowledge.lastError('defrag'),
      knowledge.lastError('backup'),
    ]).toEqual([['backup'], undefined, error]);
  });
});

describe('What the agent knows', () => {
  let knowledge: Knowledge;

  beforeEach(() => {
    knowledge = new Knowledge();
  });

  it('of a job that runs is its stage and how far that has come', () => {
    knowledge.jobBegan('backup', at(0));
    expect(knowledge.running).toEqual([
      { job: 'backup', since: at(0), stage: '', doneBytes: undefined, totalBytes: undefined },
    ]);
    knowledge.jobProgressed('backup', { kind: 'stage', text: 'streaming from m2' });
    knowledge.jobProgressed('backup', { kind: 'bytes', doneBytes: 5, totalBytes: 10 });
    expect(knowledge.running).toMatchObject([{ stage: 'streaming from m2', doneBytes: 5, totalBytes: 10 }]);
    // Those bytes were of the stage before.
    knowledge.jobProgressed('backup', { kind: 'stage', text: 'storing' });
    expect(knowledge.running).toMatchObject([{ stage: 'storing', doneBytes: undefined, totalBytes: undefined }]);
    knowledge.jobEnded('backup', undefined, at(1));
    knowledge.jobProgressed('backup', { kind: 'stage', text: 'too late' });
    expect(knowledge.running).toEqual([]);
  });

  it('of a failure is how often in a row it came, until it comes no more', () => {
    expect(knowledge.jobEnded('backup', broken, at(0))).toEqual({ isRepeated: false });
    expect(knowledge.jobEnded('backup', broken, at(1))).toEqual({ isRepeated: true });
    const { code, message, hint } = broken;
    expect(knowledge.failures).toEqual([{ job: 'backup', at: at(1), code, message, hint, times: 2 }]);
    expect(knowledge.jobEnded('backup', new WardenError('store-full', 'no room'), at(2))).toEqual({
      isRepeated: false,
    });
    expect(knowledge.failures).toMatchObject([{ code: 'store-full', times: 1 }]);
    expect([knowledge.hasFailed('backup'), knowledge.hasFailed('prune')]).toEqual([true, false]);
    knowledge.jobEnded('backup', undefined, at(3));
    expect([knowledge.failures, knowledge.hasFailed('backup')]).toEqual([[], false]);
    expect(knowledge.jobEnded('backup', broken, at(4))).toEqual({ isRepeated: false });
  });

  it('is one failure of each job, the newest first', () => {
    knowledge.jobEnded('backup', broken, at(2));
    knowledge.jobEnded('prune', broken, at(3));
    knowledge.jobEnded('verify', broken, at(1));
    expect(knowledge.failures.map(({ job }) => job)).toEqual(['prune', 'backup', 'verify']);
  });

  it('is every failure as an event of its own', () => {
    knowledge.jobEnded('backup', broken, at(0));
    knowledge.jobEnded('backup', broken, at(1));
    expect(knowledge.events).toEqual(
      [at(0), at(1)].map((time) => ({
        at: time,
        kind: 'failed',
        repository: undefined,
        text: 'backup: the store is gone',
      })),
    );
  });

  it('is bounded: of the events the newest 500', () => {
    for (let minute = 0; minute < 502; minute += 1) {
      knowledge.note({ at: at(minute), kind: 'pruned', repository: undefined, text: '' });
    }
    expect([knowledge.events.length, knowledge.events[0]?.at, knowledge.events.at(-1)?.at]).toEqual([
      500,
      at(2),
      at(501),
    ]);
  });

  it('of a look that failed is since when they fail, until one succeeds', () => {
    const facts = clusterFacts([{}]);
    for (const minute of [1, 2]) {
      knowledge.membersFailed(broken, at(minute));
      knowledge.repositoryFailed('local', broken, at(minute));
    }
    const failure = { error: broken, since: at(1) };
    expect([knowledge.membersFailure, knowledge.repositories.get('local')?.failure]).toEqual([failure, failure]);
    knowledge.membersSeen(facts);
    knowledge.repositoryListed('local', 's3://bucket', summarizeCatalogue('local', [], at(3)));
    expect([knowledge.membersFailure, knowledge.repositories.get('local')?.failure]).toEqual([undefined, undefined]);
    knowledge.repositoryFailed('local', broken, at(4));
    expect(knowledge.repositories.get('local')).toMatchObject({
      location: 's3://bucket',
      summary: { newest: undefined },
      failure: { since: at(4) },
    });
  });

  it('is nothing of repositories that are no longer configured', () => {
    for (const name of ['primary', 'local']) {
      knowledge.repositories.set(name, { location: '', summary: undefined, failure: undefined });
    }
    knowledge.keepRepositories(new Set(['local', 'new']));
    expect([...knowledge.repositories.keys()]).toEqual(['local']);
  });
});
