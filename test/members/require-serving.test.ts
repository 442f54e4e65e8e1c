import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lookAtCluster, type ClusterLook } from '../../src/members/look.ts';
import { requireAllServing } from '../../src/members/require-serving.ts';
import { liveCluster, requireNothingOpen, type LiveCluster } from '../support/defrag-cluster.ts';
import { wardenError } from '../support/errors.ts';
import { refuses } from '../support/scripted-etcd.ts';

describe('Right before a step', () => {
  const { signal } = new AbortController();
  let cluster: LiveCluster;
  let look: ClusterLook;

  beforeEach(async () => {
    cluster = liveCluster([{}, {}, {}, { isLearner: true }]);
    const clock = { now: () => new Date(), monotonicMs: () => 0 };
    const { etcd, metrics } = cluster;
    look = await lookAtCluster({ etcd, metrics, clock }, { quotaBytes: undefined, records: new Map() }, signal);
  });

  afterEach(async () => {
    await look[Symbol.asyncDispose]();
    requireNothingOpen(cluster);
  });

  /** A clock by which the rounds take so long, one after the other. */
  function clockOf(...roundsMs: readonly number[]) {
    const readings = roundsMs.flatMap((ms) => [0, ms]);
    return { monotonicMs: () => readings.shift() ?? Number.POSITIVE_INFINITY };
  }

  it('a read goes through every voter, and no learner is asked', async () => {
    cluster.member('m4').noRead = refuses('etcd-call-failed', 'not supported for learner');
    await expect(requireAllServing(look, clockOf(20), signal)).resolves.toBeUndefined();
  });

  it.each(['m1', 'm2', 'm3'])('a refusal names %s, which went away after the look', async (name) => {
    cluster.member(name).noRead = refuses('etcd-no-leader', 'leader changed');
    const refused = requireAllServing(look, clockOf(20), signal);
    await expect(refused).rejects.toEqual(wardenError('defrag-refused', `through ${name}`, 'leader changed'));
  });

  it('answers that were long in coming are asked for again', async () => {
    await expect(requireAllServing(look, clockOf(1_300, 20), signal)).resolves.toBeUndefined();
  });

  it('nothing is begun where they are long in coming every time', async () => {
    const refused = requireAllServing(look, clockOf(600, 600, 600), signal);
    await expect(refused).rejects.toEqual(wardenError('defrag-refused', 'take longer than 0.5 s'));
  });

  it('being told to stop is no refusal', async () => {
    const stop = new AbortController();
    stop.abort(refuses('interrupted', 'ended by SIGTERM'));
    await expect(requireAllServing(look, clockOf(20), stop.signal)).rejects.toEqual(
      wardenError('interrupted', 'SIGTERM'),
    );
  });
});
