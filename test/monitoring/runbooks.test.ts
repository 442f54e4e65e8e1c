import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { use } from '../../src/adapters/observability/label-values.ts';
import { errorTable } from '../../src/errors/table.ts';
import { runCli } from '../cli/streams.ts';
import { readRules } from './support/alert-file.ts';
import { findUnknown } from './support/known-metrics.ts';

const docs = resolve(import.meta.dirname, '../../docs');
const folder = join(docs, 'runbooks');
const names = (await readdir(folder)).sort();

/** Every command line of ours in a text: in a block that is indented, or in backticks, up to a comment. */
function commandsIn(text: string): string[][] {
  const lines = [...text.matchAll(/^ {4,}(etcd-warden [^#\n]+)|`(etcd-warden [^`]+)`/gm)].map(
    ([, inBlock, inline]) => inBlock ?? inline ?? '',
  );
  return lines.map((line) => [...line.matchAll(/"[^"]*"|\S+/g)].map(([word]) => word.replaceAll('"', '')).slice(1));
}

describe.each(names)('%s', (name) => {
  let text: string;

  beforeAll(async () => {
    text = await readFile(join(folder, name), 'utf8');
  });

  it('tells what it means, how urgent it is, where to look, what to do and when it is no fault', () => {
    expect(text).toMatch(new RegExp(`^# ${name.replace('.md', '')}\n`));
    const parts = [...text.matchAll(/^\*\*([A-Z][\w ]+?)\.?\*\*/gm)].map(([, part]) => part);
    expect(parts).toEqual(['Means', 'How urgent', 'Look at', 'Do', 'No fault when']);
    expect(text.split('\n').length).toBeLessThan(60);
  });

  it('tells where its commands can be run', () => {
    const needsPlace = commandsIn(text).length > 0 || /\betcdctl\b/.test(text);
    expect(text.includes('](../kubernetes.md#commands-by-hand)')).toBe(needsPlace);
  });

  it('is no longer true once a command of it, an option, a metric, a code or a page is renamed', async () => {
    await expectCommands(text);
    expect(findUnknown(text)).toEqual([]);
    expect(await findUnknownCodes(text)).toEqual([]);
    expect(await findDeadLinks(text)).toEqual([]);
  });
});

it.each(readRules().alerts)('the command that $alert names exists', async ({ annotations }) => {
  await expectCommands(
    Object.values(annotations)
      .join(' ')
      .replaceAll('{{ $labels.job }}', 'defrag')
      .replaceAll(/\{\{.*?\}\}/g, 'x'),
  );
});

it('a command that does not exist is found out', async () => {
  await expect(expectCommands('    etcd-warden list --colour   # no')).rejects.toThrow('usage');
  expect(await findUnknownCodes('see `store-on-fire`')).toEqual(['store-on-fire']);
  expect(await findDeadLinks('[a](../nothing.md) [b](../retention.md#nothing)')).toEqual([
    '../nothing.md',
    '../retention.md#nothing',
  ]);
});

/** Each is understood: it gets as far as the configuration, which is not there. */
async function expectCommands(text: string): Promise<void> {
  for (const args of commandsIn(text)) {
    const ran = await runCli(['--json', '--config', '/nonexistent/etcd-warden.yaml', ...args]);
    const { error } = ran.json() as { error: { code: string; message: string } };
    expect(`${args.join(' ')}: ${error.code}`).toBe(`${args.join(' ')}: config-not-found`);
  }
}

/** Codes of errors, and reasons of refusals, that no other page knows. */
async function findUnknownCodes(text: string): Promise<string[]> {
  const pages = ['retention.md', 'defragmentation.md'].map((page) => readFile(join(docs, page), 'utf8'));
  const refusals = (await Promise.all(pages)).join('\n');
  const codes = [...text.matchAll(/`([a-z]+(?:-[a-z]+)+)`/g)].map(([, code = '']) => code);
  const known = { ...errorTable, ...use, 'etcd-warden': true };
  return codes.filter((code) => !(code in known) && !refusals.includes(`| \`${code}\` |`));
}

async function findDeadLinks(text: string): Promise<string[]> {
  const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, link = '']) => link);
  const dead = await Promise.all(
    links.map(async (link) => {
      const [path = '', anchor] = link.split('#');
      const page = await readFile(join(folder, path), 'utf8').catch(() => '');
      const anchors = [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
        heading
          .toLowerCase()
          .replaceAll(/[^\w -]/g, '')
          .replaceAll(' ', '-'),
      );
      return page === '' || (anchor !== undefined && !anchors.includes(anchor)) ? [link] : [];
    }),
  );
  return dead.flat();
}
