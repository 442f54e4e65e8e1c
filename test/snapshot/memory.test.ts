import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { makeKeyFiles } from '../support/key-files.ts';
import { cleanEnvironment } from '../support/process.ts';

const run = promisify(execFile);

// field: F134
it(
  'sealing and opening need no more memory for a large snapshot than for a small one',
  { timeout: 60_000 },
  async () => {
    await using files = await makeKeyFiles();
    const keyFile = await files.writeAesKey('key');
    const fixture = join(import.meta.dirname, 'seal-and-open.fixture.ts');
    const peakMiB = async (sizeMiB: number): Promise<number> => {
      const { stdout } = await run(process.execPath, [fixture, keyFile, String(sizeMiB)], { env: cleanEnvironment() });
      return Number(stdout);
    };
    const small = await peakMiB(60);
    const large = await peakMiB(300);
    expect(large - small).toBeLessThan(80);
    expect(large).toBeLessThan(400);
  },
);
