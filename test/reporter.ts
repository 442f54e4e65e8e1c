import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { Reporter, TestModule, TestRunEndReason } from 'vitest/node';

/** What a run of vitest came to. */
export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
  slowest: { readonly file: string; readonly seconds: number }[];
}

/** How many files are worth a line at the end. */
const slowestShown = 10;

/** Writes the tally of a run to the file that TALLY_FILE names, for test/run.ts. */
export default class TallyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[], reason: TestRunEndReason): void {
    const file = process.env['TALLY_FILE'];
    if (file === undefined) return;
    const tally: Tally = { passed: 0, failed: unhandledErrors.length, skipped: 0, slowest: [] };
    for (const module of modules) count(module, tally);
    if (reason === 'interrupted') tally.failed += 1;
    tally.slowest = modules
      .map(timeOf)
      .sort((a, b) => b.seconds - a.seconds)
      .slice(0, slowestShown);
    writeFileSync(file, JSON.stringify(tally));
  }
}

function count(module: TestModule, tally: Tally): void {
  let failed = 0;
  for (const test of module.children.allTests()) {
    const { state } = test.result();
    if (state === 'failed') failed += 1;
    else if (state === 'passed') tally.passed += 1;
    else tally.skipped += 1;
  }
  // A file that does not load, or whose hook fails, has no failed test but did fail.
  tally.failed += failed === 0 && module.state() === 'failed' ? 1 : failed;
}

function timeOf(module: TestModule): { file: string; seconds: number } {
  const { collectDuration, duration } = module.diagnostic();
  return { file: relative(process.cwd(), module.moduleId), seconds: (collectDuration + duration) / 1000 };
}
