import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { judge } from './signals/judge.ts';
import { describeMoment, drawMoments, type Moment } from './signals/moment.ts';
import { openSignalSite, partCount, type SignalSite, streamBytes } from './signals/site.ts';
import { carryOut } from './signals/signalled-run.ts';

/**
 * Backups that are told to end by SIGTERM, from the start of the process to its end, judged from outside: by the process,
 * etcd, S3 and the folders. `npm test` takes one moment of each stage; `npm run test:signals` 100 and a few that come too
 * late. SIGNALS_SEED repeats the draw, not the interleaving.
 */
const isWhole = process.env['SIGNALS'] === 'whole';
const seed = Number(process.env['SIGNALS_SEED'] ?? (isWhole ? Math.floor(Math.random() * 1e6) : 6));
const moments = drawMoments(seed, isWhole ? 108 : 9, { streamBytes, partCount });

const outcomes: string[] = [];
let signals = 0;
let slowestMs = 0;
afterAll(() => {
  console.log(`campaign of seed ${seed}: ${signals} signals, the slowest end took ${slowestMs} ms\n${tabulate()}`);
});

describe(`campaign of seed ${seed}`, () => {
  let site: SignalSite;
  beforeAll(async () => {
    site = await openSignalSite();
  });
  afterAll(() => site?.[Symbol.asyncDispose]());

  test.each(moments.map((moment) => [describeMoment(moment), moment] as const))('%s', async (_, moment) => {
    expect(await faultsOf(site, moment), `SIGNALS_SEED=${seed}`).toEqual([]);
  });

  test('no lease of a lock is left', async () => {
    expect(await site.cluster.etcdctl(['lease', 'list'])).toContain('found 0 leases');
  });
});

// field: F154
async function faultsOf(site: SignalSite, moment: Moment): Promise<readonly string[]> {
  const evidence = await carryOut(site, moment);
  const { outcome, faults } = judge(evidence);
  const tookMs = Math.round(evidence.tookMs);
  outcomes.push(`${moment.stage.padEnd(10)} ${outcome}`);
  if (evidence.signalled) {
    signals += 1;
    slowestMs = Math.max(slowestMs, tookMs);
  }
  console.log(`${describeMoment(moment)}: ${outcome}; ${tookMs} ms`);
  return faults;
}

/** Stage and outcome, with counts. */
function tabulate(): string {
  return [...Map.groupBy(outcomes, (outcome) => outcome)]
    .map(([outcome, { length }]) => `${String(length).padStart(4)}  ${outcome}`)
    .join('\n');
}
