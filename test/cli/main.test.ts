import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { cleanEnvironment } from '../support/process.ts';

const main = join(import.meta.dirname, '../../src/main.ts');

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs etcd-warden as a process of its own. */
async function run(args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [main, ...args], {
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = new Promise<number | null>((resolve) => void child.on('close', resolve));
  const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
  return { status, stdout, stderr };
}

describe('the process', () => {
  it('ends with status 2 and one JSON document where it is used wrongly', async () => {
    const { status, stdout, stderr } = await run(['bakcup', '--json']);
    expect([status, JSON.parse(stdout), stderr]).toMatchObject([2, { error: { code: 'usage' } }, '']);
  });

  it('ends with status 0 after it has printed all of a long result', async () => {
    const { status, stdout } = await run(['config', 'schema', '--json']);
    expect([status, JSON.parse(stdout)]).toMatchObject([0, { $schema: expect.any(String) as unknown }]);
    expect(stdout.length).toBeGreaterThan(10_000);
  });

  it('is not troubled by a reader that goes away', async () => {
    const child = spawn(process.execPath, [main, 'config', 'schema'], {
      env: cleanEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.destroy();
    const closed = new Promise<number | null>((resolve) => void child.on('close', resolve));
    expect([await text(child.stderr), await closed]).toEqual(['', 0]);
  });

  it.runIf(process.platform === 'linux')('fails where its result was lost', async () => {
    await using full = await open('/dev/full', 'w');
    const child = spawn(process.execPath, [main, 'config', 'schema'], {
      env: cleanEnvironment(),
      stdio: ['ignore', full.fd, 'ignore'],
    });
    const closed = new Promise<number | null>((resolve) => void child.on('close', resolve));
    expect(await closed).toBe(1);
  });
});
