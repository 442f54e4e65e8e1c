import fc from 'fast-check';
import { createTask } from 'node-cron';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { parseCron } from '../../src/config/cron.ts';
import { nextOccurrence } from '../../src/schedule/occurrences.ts';
import { anyExpressionWithSeconds } from './random-schedules.ts';

const seed = Number(process.env['SCHEDULE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const runsAhead = 5;

/** What node-cron would do from a moment on, as far as clocks that never change go. */
function nextByNodeCron(expression: string, after: Date): Date[] {
  vi.setSystemTime(after);
  const task = createTask(expression, () => undefined, { timezone: 'UTC' });
  const runs = task.getNextRuns(runsAhead);
  void task.destroy();
  return runs;
}

function nextByUs(expression: string, after: Date): Date[] {
  const schedule = parseCron(expression);
  const runs: Date[] = [];
  for (let time = nextOccurrence(schedule, 'UTC', after); time !== undefined && runs.length < runsAhead;) {
    runs.push(time);
    time = nextOccurrence(schedule, 'UTC', time);
  }
  return runs;
}

describe('the next runs in UTC', { timeout: 120_000 }, () => {
  beforeAll(() => console.log(`SCHEDULE_SEED=${seed}`));
  afterEach(() => vi.useRealTimers());

  it('are those that node-cron names', () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const moments = fc.date({ min: new Date('2024-01-01'), max: new Date('2040-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(anyExpressionWithSeconds, moments, (expression, moment) => {
        expect(nextByUs(expression, moment)).toEqual(nextByNodeCron(expression, moment));
      }),
      { seed, numRuns: 400 },
    );
  });
});
