import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { etcdVersions } from '../support/toolchain.ts';
import { Arena } from './defrag/arena.ts';
import { carryOut } from './defrag/fault-run.ts';
import { judge } from './defrag/judge.ts';
import { describeScenario, drawScenarios, type Scenario } from './defrag/scenario.ts';

/**
 * `defrag` on three real members while one fault comes about, judged by the members' logs and metrics. `npm test` takes a
 * few runs; `npm run test:defrag` 110 over all of them. DEFRAG_CAMPAIGN_SEED repeats the draw, not the
 * interleaving.
 */
const isWhole = process.env['DEFRAG_CAMPAIGN'] === 'whole';
/** Draws one of every fault but the slowest, early enough that each comes about. */
const sampleSeed = 3522;
const seed = Number(process.env['DEFRAG_CAMPAIGN_SEED'] ?? (isWhole ? Math.floor(Math.random() * 1e6) : sampleSeed));
const scenarios = drawScenarios(seed, isWhole ? 110 : 8);
/** Logs, WAL and the memory of members grow with every run. */
const runsOfAnArena = 10;

const outcomes: { readonly fault: string; readonly outcome: string }[] = [];
afterAll(() => console.log(`campaign of seed ${seed}: ${outcomes.length} runs\n${tabulate()}`));

describe.each(etcdVersions.filter((one) => scenarios.some(({ version }) => version === one)))(
  `campaign of seed ${seed}, etcd %s`,
  (version) => {
    const ofVersion = scenarios.filter((scenario) => scenario.version === version);
    const batches = Array.from({ length: Math.ceil(ofVersion.length / runsOfAnArena) }, (_, index) =>
      ofVersion.slice(index * runsOfAnArena, (index + 1) * runsOfAnArena),
    );

    describe.each(batches.map((batch, index) => ({ batch, index })))('cluster $index', ({ batch }) => {
      let arena: Arena;
      beforeAll(async () => {
        arena = await Arena.start(version);
      });
      afterAll(() => arena?.[Symbol.asyncDispose]());

      test.each(batch.map((scenario) => [describeScenario(scenario), scenario] as const))('%s', async (_, scenario) => {
        expect(await faultsOf(arena, scenario), `DEFRAG_CAMPAIGN_SEED=${seed}`).toEqual([]);
      });
    });
  },
);

// field: F064
async function faultsOf(arena: Arena, scenario: Scenario): Promise<readonly string[]> {
  const evidence = await carryOut(arena, scenario);
  const { outcome, faults } = judge(evidence);
  const name = evidence.injection === undefined ? `${scenario.fault}, too late` : scenario.fault;
  outcomes.push({ fault: name, outcome });
  const { calls, injection, startedMs, endedMs } = evidence;
  const begins = calls.map(({ member, beganMs, endedMs: end }) => {
    return `${member} ${beganMs - startedMs}-${end === undefined ? '' : end - startedMs}`;
  });
  const fault = injection === undefined ? 'no fault' : `${injection.victim} ${injection.atMs - startedMs} ms`;
  console.log(
    `${describeScenario(scenario)}: ${outcome}; ${fault}; ${begins.join(', ') || 'no call'}; ${endedMs - startedMs} ms`,
  );
  if (faults.length > 0) for (const { stdout, stderr } of evidence.runs) console.log(stdout, stderr);
  return faults;
}

/** Fault by outcome, with counts. */
function tabulate(): string {
  const counts = Map.groupBy(outcomes, ({ fault, outcome }) => `${fault.padEnd(34)} ${outcome}`);
  return [...counts]
    .map(([row, { length }]) => `${String(length).padStart(4)}  ${row}`)
    .sort((a, b) => a.slice(4).localeCompare(b.slice(4)))
    .join('\n');
}
