import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { axeViolations } from '../support/axe.ts';
import { startBrowser } from '../support/browser.ts';
import { startCluster, type Cluster } from '../support/etcd.ts';
import { localRepository } from './support/places.ts';
import { startAgent, until, type RunningAgent } from './support/running-agent.ts';
import { makeTempFolder, writeConfig, type TempFolder } from './support/warden.ts';

describe('The status page of a running daemon', () => {
  let cluster: Cluster;
  let folder: TempFolder;
  let browser: Browser;
  let agent: RunningAgent;

  beforeAll(async () => {
    cluster = await startCluster({ members: 3 });
    folder = await makeTempFolder();
    browser = await startBrowser();
    const repository = join(folder.path, 'repository');
    await mkdir(repository);
    agent = await startAgent((listen) =>
      writeConfig(folder.path, {
        cluster: { name: 'prod', endpoints: cluster.endpoints },
        encryption: 'none',
        repositories: [localRepository(repository)],
        schedules: { backup: { cron: '*/10 * * * *', jitter: '0s' } },
        watch: { repositories: '10s', members: '5s' },
        http: { listen },
      }),
    );
  });
  afterAll(async () => {
    await agent[Symbol.asyncDispose]();
    await browser.close();
    await folder[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  /** The word and the sentence that it begins with; without complaint of the browser or of axe. */
  async function read(): Promise<{ word: string; sentence: string }> {
    const seen: string[] = [];
    const context = await browser.newContext();
    const page = await context.newPage();
    page.on('console', (message) => seen.push(message.text()));
    page.on('pageerror', (error) => seen.push(String(error)));
    await page.goto(agent.url);
    const verdict = page.getByRole('region').first();
    const word = (await verdict.getByRole('heading').textContent()) ?? '';
    const sentence = (await verdict.getByRole('paragraph').textContent()) ?? '';
    await context.close();
    const unguarded = await browser.newContext({ bypassCSP: true });
    const audited = await unguarded.newPage();
    await audited.goto(agent.url);
    expect([seen, await axeViolations(audited)]).toEqual([[], []]);
    await unguarded.close();
    return { word: word.trim(), sentence: sentence.trim() };
  }

  it('says that all is well, and why not once two of three members are gone', async () => {
    await until(async () => (await agent.status()).verdict.level === 'safe', 'the first backup and look');
    expect(await read()).toEqual({
      word: 'Safe',
      sentence: expect.stringMatching(/^Every repository holds a recent backup; the newest is \d+s old\.$/) as string,
    });
    for (const { process } of cluster.members.slice(1)) process.signal('SIGKILL');
    await until(async () => (await agent.status()).verdict.level === 'danger', 'that the quorum is gone', 60_000);
    expect(await read()).toEqual({
      word: 'Danger',
      sentence: expect.stringMatching(/^Etcd has no quorum: /) as string,
    });
  });
});
