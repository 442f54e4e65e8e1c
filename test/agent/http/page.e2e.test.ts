import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AgentStatus } from '../../../src/agent/agent-status.ts';
import { axeViolations } from '../../support/axe.ts';
import { startBrowser } from '../../support/browser.ts';
import { hostileTexts, hugeStatus } from './hostile-status.ts';
import { brokenStatus, emptyStatus, healthyStatus } from './sample-status.ts';
import { serve, type Served } from './serve.ts';

const statuses = { healthy: healthyStatus(), broken: brokenStatus(), empty: emptyStatus(), huge: hugeStatus() };
type StatusName = keyof typeof statuses;
const names = Object.keys(statuses) as StatusName[];
const wide = { width: 1280, height: 900 };
const phone = { width: 390, height: 844 };
const schemes = ['light', 'dark'] as const;

describe('the status page in a browser', () => {
  let browser: Browser;
  let served: Served;
  let shown: AgentStatus;
  beforeAll(async () => {
    browser = await startBrowser();
    served = await serve({ routes: { status: () => shown } });
  });
  afterAll(async () => {
    await browser.close();
    await served[Symbol.asyncDispose]();
  });

  interface Visit extends AsyncDisposable {
    readonly page: Page;
    /** What the console said, and what was thrown. */
    readonly complaints: readonly string[];
  }

  async function visit(name: StatusName, options: BrowserContextOptions): Promise<Visit> {
    shown = statuses[name];
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(served.url);
    return { page, complaints, [Symbol.asyncDispose]: () => context.close() };
  }

  test.each([
    ['healthy', 'Safe', 'Every repository holds a verified backup that is recent enough, and all 3 members are well.'],
    ['broken', 'Danger', 'The newest backup in primary is 9 h old, and etcd-1 raises the alarm NOSPACE.'],
    ['empty', 'Not known yet', 'The agent has just started and has not looked at anything yet.'],
  ] as const)('says of a cluster that is %s: %s', async (name, word, sentence) => {
    await using visited = await visit(name, { viewport: wide });
    const verdict = visited.page.getByRole('region', { name: word, exact: true });
    expect(await verdict.getByText(sentence).isVisible()).toBe(true);
    expect(await visited.page.title()).toBe(`${word}: production-eu | etcd-warden`);
    expect(visited.complaints).toEqual([]);
  });

  test.each(names.flatMap((name) => schemes.map((colorScheme) => [name, colorScheme] as const)))(
    'holds to its own policy, %s in %s colours, and fits a telephone',
    async (name, colorScheme) => {
      for (const viewport of [wide, phone]) {
        await using visited = await visit(name, { viewport, colorScheme });
        const { page } = visited;
        await openAll(page);
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(viewport.width);
        // The style was let through: the page has colours of its own.
        const [back, ink] = await page.evaluate<[string, string]>(
          '((style) => [style.backgroundColor, style.color])(getComputedStyle(document.body))',
        );
        expect(brightness(back) > brightness(ink)).toBe(colorScheme === 'light');
        expect(visited.complaints).toEqual([]);
      }
    },
  );

  test.each(names)('is free of what axe knows to shut people out, %s', async (name) => {
    await using visited = await visit(name, { bypassCSP: true });
    const { page } = visited;
    await openAll(page);
    for (const colorScheme of schemes) {
      await page.emulateMedia({ colorScheme });
      for (const viewport of [wide, phone]) {
        await page.setViewportSize(viewport);
        expect(await axeViolations(page)).toEqual([]);
      }
    }
  });

  test('is found wanting by the same look where something is wrong with it', async () => {
    await using visited = await visit('healthy', { viewport: wide, bypassCSP: true });
    await visited.page.evaluate(
      `document.body.insertAdjacentHTML('beforeend', '<p style="color:#999">too faint</p><img src="x">')`,
    );
    const rules = (await axeViolations(visited.page)).map((violation) => violation.split(':')[0]);
    expect(rules).toEqual(expect.arrayContaining(['color-contrast', 'image-alt']));
  });

  test('runs and loads nothing that somebody manages to put in', async () => {
    await using visited = await visit('healthy', { viewport: wide });
    const { page, complaints } = visited;
    await page.evaluate(`(async () => {
      const violations = [];
      document.addEventListener('securitypolicyviolation', (event) => violations.push(event.effectiveDirective));
      document.body.insertAdjacentHTML('beforeend', '<p style="color:red" onclick="document.title = 1">x</p><img src="/metrics" alt="">');
      document.body.append(Object.assign(document.createElement('script'), { textContent: 'document.title = 2' }));
      document.body.lastElementChild.previousElementSibling.previousElementSibling.click();
      while (violations.length < 4) await new Promise((resolve) => setTimeout(resolve, 10));
      document.body.dataset.violations = violations.sort().join(' ');
    })()`);
    expect(await page.evaluate('document.body.dataset.violations')).toBe(
      'img-src script-src-attr script-src-elem style-src-attr',
    );
    expect(await page.title()).toBe('Safe: production-eu | etcd-warden');
    expect(complaints.length).toBeGreaterThan(0);
  });

  test('shows hostile texts as they are', async () => {
    await using visited = await visit('huge', { viewport: wide });
    const { page } = visited;
    const [cluster] = hostileTexts;
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toContain(cluster);
    expect(await page.title()).toBe(`Needs attention: ${cluster} | etcd-warden`);
    expect(await page.locator('script, img, iframe, link, form, [onmouseover], [onerror], [style]').count()).toBe(0);
    expect(await page.locator('style').count()).toBe(1);
    expect(await page.getByText('etcd-\\u202e0-dcte\\u202c').count()).toBeGreaterThan(0);
  });

  test('is used with the keyboard alone', async () => {
    await using visited = await visit('broken', { viewport: phone });
    const { page } = visited;
    const reached: string[] = [];
    for (let presses = 0; presses < 10; presses += 1) {
      await page.keyboard.press('Tab');
      const text = await page.evaluate<string>(
        'document.activeElement === document.body ? "" : document.activeElement.textContent',
      );
      if (text === '') break;
      expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid');
      reached.push(text);
      if (text === 'The same as a table') await page.keyboard.press('Enter');
    }
    expect(reached).toEqual([
      'Reload',
      'The same as a table',
      'The newest 50 events',
      'Status as JSON',
      'Metrics',
      'Health',
    ]);
    expect(await page.getByRole('cell', { name: '9 failed, 5 backups, 1 verified, 1 pruned' }).isVisible()).toBe(true);
    await page.getByRole('link', { name: 'Reload' }).press('Enter');
    await page.waitForURL(`${served.url}/`);
  });

  test('leads to its other views', async () => {
    await using visited = await visit('healthy', { viewport: wide });
    const { page, complaints } = visited;
    for (const [link, path] of [
      ['Status as JSON', '/api/status'],
      ['Metrics', '/metrics'],
      ['Health', '/readyz'],
    ] as const) {
      await page.goto(served.url);
      await page.getByRole('link', { name: link }).click();
      await page.waitForURL(served.url + path);
    }
    expect(complaints).toEqual([]);
  });
});

async function openAll(page: Page): Promise<void> {
  for (const summary of await page.locator('summary').all()) await summary.click();
}

/** Of `rgb(16, 19, 22)`. */
function brightness(color: string): number {
  return (color.match(/\d+/g) ?? []).map(Number).reduce((sum, part) => sum + part, 0);
}
