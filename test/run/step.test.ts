import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runStep, type Step } from './step.ts';

describe('a step of the test command', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'etcd-warden-step-'));
  });

  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  it('passes when its command ends with status 0', async () => {
    expect(await run('true')).toMatchObject({ ok: true, reason: '' });
  });

  it('fails with the exit status of its command', async () => {
    expect(await run('exit 7')).toMatchObject({ ok: false, reason: 'exit status 7' });
  });

  it('fails when its command does not exist', async () => {
    expect(
      await runStep({ ...shell(''), command: 'no-such-command' }, directory, new AbortController().signal),
    ).toMatchObject({
      ok: false,
      reason: expect.stringContaining('ENOENT') as string,
    });
  });

  it('has no standard input to wait for', async () => {
    expect(await run('cat')).toMatchObject({ ok: true });
  });

  it('ends everything that its command started when it is interrupted', async () => {
    const interrupted = new AbortController();
    const ended = run('sleep 600 & echo $! > child; wait', interrupted.signal);
    const child = await startedChild();
    interrupted.abort();
    expect(await ended).toMatchObject({ ok: false, leftRunning: false });
    expect(await isRunning(child)).toBe(false);
  });

  it('ends a command that takes longer than its limit', async () => {
    expect(
      await runStep({ ...shell('sleep 600'), limitMs: 100 }, directory, new AbortController().signal),
    ).toMatchObject({
      ok: false,
      reason: 'it took too long or was interrupted, and was ended',
    });
  });

  it('fails when its command leaves a process behind, and ends that process', async () => {
    const result = await run('sleep 600 & echo $! > child');
    const child = await startedChild();
    expect(result).toMatchObject({
      ok: false,
      leftRunning: true,
      reason: `it left processes running: sleep (pid ${child})`,
    });
    await vi.waitFor(async () => expect(await isRunning(child)).toBe(false));
  });

  function run(script: string, signal = new AbortController().signal): ReturnType<typeof runStep> {
    return runStep(shell(script), directory, signal);
  }

  function startedChild(): Promise<number> {
    return vi.waitFor(async () => {
      const pid = Number(await readFile(join(directory, 'child'), 'utf8'));
      expect(pid).toBeGreaterThan(0);
      return pid;
    });
  }
});

function shell(script: string): Step {
  return { name: 'step', command: 'bash', args: ['-c', script], env: process.env, limitMs: 60_000 };
}

/** A zombie, which nobody has reaped yet, does not run any more. */
async function isRunning(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => 'State:\tZ');
  return !/^State:\s+Z/m.test(status);
}
