import { describe, expect, it } from 'vitest';
import type { AgentEvent } from '../../../../src/agent/agent-status.ts';
import { describeCounts } from '../../../../src/agent/http/page/event-words.ts';
import {
  bucketCount,
  bucketStart,
  countBetween,
  daysOf,
  layOutTimeline,
} from '../../../../src/agent/http/page/timeline-rows.ts';

const now = new Date('2026-11-25T14:03:22Z');

function event(
  at: string,
  kind: AgentEvent['kind'] = 'backup',
  repository: string | undefined = 'primary',
): AgentEvent {
  return { at: new Date(at), kind, repository, text: '' };
}

/** `primary 83: 2 backups` for every bucket that holds something. */
function filled(events: readonly AgentEvent[], repositories: readonly string[] = ['primary']): string[] {
  return layOutTimeline(events, repositories, now).rows.flatMap(({ repository, buckets }) =>
    [...buckets].map(([bucket, counts]) => `${repository} ${bucket}: ${describeCounts(counts)}`),
  );
}

describe('the timeline', () => {
  it('counts what happened in the same two hours together, kind by kind', () => {
    const events = [
      event('2026-11-25T14:03:22Z'),
      event('2026-11-25T14:00:00Z'),
      event('2026-11-25T14:01:00Z', 'failed'),
      event('2026-11-25T13:59:59.999Z'),
    ];
    expect(filled(events)).toEqual(['primary 83: 1 failed, 2 backups', 'primary 82: 1 backup']);
  });

  it('leaves out what is older, what is yet to come, and what has no time', () => {
    const events = [
      event('2026-11-18T15:59:59.999Z'),
      event('2026-11-18T16:00:00Z'),
      event('2026-11-25T16:00:00Z'),
      event('no time at all'),
    ];
    expect(filled(events)).toEqual(['primary 0: 1 backup']);
  });

  it('has a row for each repository in their order, then for one that is gone, last for the cluster', () => {
    const events = [
      event('2026-11-25T01:00:00Z', 'defragmented', undefined),
      event('2026-11-25T01:00:00Z', 'backup', 'gone'),
      event('2026-11-25T01:00:00Z', 'backup', 'b'),
    ].map((each, index) => (index === 0 ? { ...each, repository: undefined } : each));
    const { rows } = layOutTimeline(events, ['b', 'a'], now);
    expect(rows.map(({ repository, total }) => [repository, describeCounts(total)])).toEqual([
      ['b', '1 backup'],
      ['a', 'nothing'],
      ['gone', '1 backup'],
      [undefined, '1 defragmented'],
    ]);
  });

  it('has days that begin at midnight in UTC, the first and the last one cut', () => {
    const timeline = layOutTimeline([], [], now);
    const days = daysOf(timeline);
    expect(days.map(({ first }) => bucketStart(timeline, first).toISOString())).toEqual([
      '2026-11-18T16:00:00.000Z',
      ...[19, 20, 21, 22, 23, 24, 25].map((day) => `2026-11-${day}T00:00:00.000Z`),
    ]);
    expect(days.at(-1)?.end).toBe(bucketCount);
  });

  it('has seven whole days just before midnight', () => {
    expect(daysOf(layOutTimeline([], [], new Date('2026-11-25T23:00:00Z')))).toHaveLength(7);
  });

  it('adds up a day', () => {
    const events = [
      event('2026-11-24T00:00:00Z'),
      event('2026-11-24T23:59:59Z', 'verified'),
      event('2026-11-25T00:00:00Z'),
    ];
    const timeline = layOutTimeline(events, ['primary'], now);
    const sums = daysOf(timeline).map(({ first, end }) =>
      timeline.rows.map((row) => describeCounts(countBetween(row, first, end))),
    );
    expect(sums.slice(-3)).toEqual([['nothing'], ['1 backup, 1 verified'], ['1 backup']]);
  });
});
