import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { cleanEnvironment } from '../support/process.ts';
import { serverBinary } from '../support/toolchain.ts';
import { chart } from './render-chart.ts';

/** The tests in helm/etcd-warden/tests, which helm-unittest runs all at once; here each is one that is counted. */
const cases = await runUnitTests();

describe('the templates', () => {
  it('have tests', () => {
    expect(cases.length).toBeGreaterThan(40);
  });

  it.each(cases)('$suite: $name', ({ failure }) => {
    expect(failure).toBeUndefined();
  });
});

interface UnitTest {
  readonly suite: string;
  readonly name: string;
  /** undefined: it passed. */
  readonly failure: string | undefined;
}

async function runUnitTests(): Promise<UnitTest[]> {
  const directory = await mkdtemp(join(tmpdir(), 'warden-unittest-'));
  try {
    const report = join(directory, 'report.xml');
    const args = ['--strict', '--file', 'tests/*_test.yaml', '--output-type', 'JUnit', '--output-file', report, chart];
    const ended = promisify(execFile)(serverBinary('chart/helm-unittest'), args, { env: cleanEnvironment() });
    // Failed tests are in the report; without one it did not get so far.
    const said = await ended.catch((error: unknown) => error as { stdout: string; stderr: string });
    const xml = await readFile(report, 'utf8').catch(() => {
      throw new Error(`helm-unittest wrote no report:\n${said.stdout}${said.stderr}`);
    });
    return readReport(xml);
  } finally {
    await rm(directory, { recursive: true });
  }
}

function readReport(xml: string): UnitTest[] {
  const tests = [...xml.matchAll(/<testcase ([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)];
  return tests.map(([, attributes = '', body]) => {
    const [, suite = '', name = ''] = /classname="([^"]*)" name="([^"]*)"/.exec(attributes) ?? [];
    return { suite, name, failure: body === undefined || body.trim() === '' ? undefined : body };
  });
}
