/**
 * The test command. Without arguments: the test servers are built, then types, format, lint and unused code are checked,
 * then every test runs. A step that fails does not stop the others. Arguments go to vitest and limit the run to tests
 * (`npm test -- test/inspect`, `npm test -- --project unit`).
 *
 * The last line of output is `N passed, N failed`; every static step counts as one. The exit status is 0 only if
 * nothing failed.
 */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { type Step, type StepResult, runStep } from './run/step.ts';
import { cleanEnvironment } from './support/process.ts';
import type { Tally } from './reporter.ts';

const root = resolve(import.meta.dirname, '..');
const minute = 60_000;
/** As `npm run` has it: `node` is the version of node_modules, whatever the machine's own may be. */
const path = [join(root, 'node_modules/.bin'), process.env['PATH']].join(delimiter);

const toolchain: Step = {
  name: 'toolchain',
  command: 'bash',
  args: ['test/toolchain/build.sh'],
  env: { ...process.env, PATH: path },
  limitMs: 15 * minute,
};

const staticSteps: readonly Step[] = [
  checkStep('types', ['tsc', '--noEmit']),
  checkStep('format', ['oxfmt', '--check']),
  checkStep('lint', ['oxlint', '--type-aware']),
  checkStep('unused code', ['knip', '--no-config-hints']),
  // A file or a package that only tests use is dead weight in what is shipped.
  checkStep('unused when shipped', ['knip', '--no-config-hints', '--production', '--include', 'files,dependencies']),
];

const interrupted = new AbortController();
let endingSignal: NodeJS.Signals | undefined;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    endingSignal = signal;
    interrupted.abort(new Error(`ended by ${signal}`));
  });
}
try {
  await main(process.argv.slice(2));
} finally {
  // As if the signal had never been caught, so that whoever started us sees the true reason.
  if (endingSignal !== undefined) process.kill(process.pid, endingSignal);
}

async function main(args: readonly string[]): Promise<void> {
  const total: Tally = { passed: 0, failed: 0, skipped: 0, slowest: [] };
  const failures: string[] = [];
  const count = (step: Step, result: StepResult): boolean => {
    total[result.ok ? 'passed' : 'failed'] += 1;
    if (!result.ok) failures.push(`${step.name}: ${result.reason}`);
    return result.ok;
  };

  let limits = args;
  if (args.length === 0) {
    const serversBuilt = count(toolchain, await run(toolchain));
    for (const step of staticSteps) count(step, await run(step));
    if (!serversBuilt) {
      failures.push('tests: only those of project unit ran, because the test servers were not built');
      limits = ['--project', 'unit'];
    }
  }

  const tests = await runTests(limits);
  total.passed += tests.tally.passed;
  total.failed += tests.tally.failed;
  if (!tests.result.ok) {
    failures.push(`tests: ${tests.result.reason}`);
    // Every failed test is counted already; a run that fails for another reason must not look green.
    if (tests.tally.failed === 0 || tests.result.leftRunning) total.failed += 1;
  }
  report(tests.tally, failures);
  console.log(`${total.passed} passed, ${total.failed} failed`);
  process.exitCode = total.failed === 0 ? 0 : 1;
}

async function run(step: Step): Promise<StepResult> {
  console.log(`\n── ${step.name}: ${[step.command, ...step.args].join(' ')}`);
  const result = await runStep(step, root, interrupted.signal);
  interrupted.signal.throwIfAborted();
  console.log(`── ${step.name}: ${result.ok ? 'passed' : `FAILED, ${result.reason}`} (${result.seconds.toFixed(1)} s)`);
  return result;
}

async function runTests(args: readonly string[]): Promise<{ result: StepResult; tally: Tally }> {
  const directory = await mkdtemp(join(tmpdir(), 'etcd-warden-tests-'));
  const tallyFile = join(directory, 'tally.json');
  try {
    const result = await run({
      name: 'tests',
      command: 'vitest',
      args: ['run', '--reporter=default', '--reporter=./test/reporter.ts', ...args],
      env: cleanEnvironment({ PATH: path, TALLY_FILE: tallyFile }),
      limitMs: 25 * minute,
    });
    const written = await readFile(tallyFile, 'utf8').catch(() => undefined);
    const tally: Tally =
      written === undefined ? { passed: 0, failed: 0, skipped: 0, slowest: [] } : (JSON.parse(written) as Tally);
    return { result, tally };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function report(tests: Tally, failures: readonly string[]): void {
  console.log('\nSlowest test files:');
  for (const { file, seconds } of tests.slowest) console.log(`  ${seconds.toFixed(1).padStart(6)} s  ${file}`);
  if (tests.skipped > 0) console.log(`\nSkipped tests: ${tests.skipped}`);
  if (failures.length > 0) console.log(`\nFailed:\n${failures.map((failure) => `  ${failure}`).join('\n')}`);
  console.log('');
}

function checkStep(name: string, [command, ...args]: [string, ...string[]]): Step {
  return { name, command, args, env: { ...process.env, PATH: path }, limitMs: 5 * minute };
}
