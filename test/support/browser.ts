import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { cleanEnvironment } from './process.ts';

/** It speaks to nobody but the pages that a test opens. */
const quietly = [
  '--headless',
  // Tests may run as root, where the sandbox refuses to start.
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A real Chromium with a new, empty profile; disposing ends it and removes the profile. */
export async function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: findChromium(), args: quietly, env: textEnvironment() });
}

function findChromium(): string {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, 'chromium');
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      continue;
    }
  }
  throw new Error('there is no chromium in PATH: run test/toolchain/build.sh browser');
}

function textEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(cleanEnvironment()).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
