import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

/** A file that breaks a layer rule, and the start of the message that must say so. */
const refused: readonly [file: string, code: string, message: string][] = [
  ['src/main.ts', "export * from './jobs/backup.ts';", 'main.ts turns argv'],
  ['src/version.ts', "export * from './config/schema.ts';", 'version.ts says one fact'],
  ['src/format.ts', "export * from './errors/table.ts';", 'format.ts turns numbers'],
  ['src/cli/commands/a.ts', "export * from '../../adapters/s3/store.ts';", 'cli reads options'],
  ['src/cli/b.ts', "export * from '../repository/layout.ts';", 'cli prints what jobs return'],
  ['src/cli/c.ts', "console.log('hello');", 'Unexpected console statement'],
  ['src/agent/a.ts', "export * from '../adapters/s3/store.ts';", 'Only agent/compose.ts knows adapters'],
  [
    'src/agent/http/b.ts',
    "import type { S3Store } from '../../adapters/s3/store.ts';",
    'Only agent/compose.ts knows adapters',
  ],
  ['src/agent/c.ts', "export * from '../cli/program.ts';", 'agent serves one-shot commands'],
  ['src/agent/compose.ts', "export * from '../main.ts';", 'agent serves one-shot commands'],
  ['src/agent/d.ts', "export * from './daemon/agent.ts';", 'agent/daemon is the daemon alone'],
  ['src/agent/runs/a.ts', "export * from '../daemon/agent.ts';", 'agent/daemon is the daemon alone'],
  ['src/config/a.ts', "export * from '../agent/compose.ts';", 'config turns a file'],
  ['src/config/b.ts', "export * from '../jobs/backup.ts';", 'config turns a file'],
  ['src/jobs/a.ts', "export * from './verify.ts';", 'Jobs never import each other'],
  ['src/jobs/b.ts', "export * from '../adapters/etcd/client.ts';", 'A job takes ports and plain options'],
  ['src/jobs/c.ts', "import type { Config } from '../config/schema.ts';", 'A job takes ports and plain options'],
  ['src/jobs/d.ts', "export * from '@aws-sdk/client-s3';", 'A job takes ports and plain options'],
  ['src/jobs/e.ts', 'process.exitCode = 1;', 'Only src/main.ts decides the exit status'],
  ['src/repository/a.ts', "export * from '../adapters/directory/store.ts';", 'repository is the layout'],
  ['src/repository/b.ts', "export * from 'node:fs';", 'repository is the layout'],
  ['src/snapshot/a.ts', "export * from '../repository/layout.ts';", 'snapshot is streams'],
  ['src/snapshot/b.ts', "export * from '@aws-sdk/client-kms';", 'snapshot is streams'],
  ['src/members/a.ts', "export * from '../jobs/defrag.ts';", 'members is how the members'],
  ['src/members/b.ts', "export * from '../repository/catalogue.ts';", 'members is how the members'],
  ['src/inspect/a.ts', "export * from 'node:fs/promises';", 'inspect turns bytes into facts'],
  ['src/inspect/b.ts', "export const load = () => import('../jobs/backup.ts');", 'inspect turns bytes into facts'],
  ['src/manifest/a.ts', "export * from 'node:crypto';", 'manifest is the written form'],
  ['src/manifest/b.ts', 'export const at = Date.now();', 'Pure folders have no clock'],
  ['src/retention/a.ts', "export * from 'node:util';", 'Policy is pure'],
  ['src/retention/b.ts', 'export const at = performance.now();', 'Pure folders have no clock'],
  ['src/retention/c.ts', 'export const lot = Math.random();', 'Pure folders have no dice'],
  ['src/defrag/a.ts', "export * from '../ports/etcd.ts';", 'Policy is pure'],
  ['src/defrag/b.ts', 'setTimeout(String, 1);', 'Pure folders do not wait'],
  ['src/defrag/c.ts', "export const home = process.env['HOME'];", 'Pure folders know no process'],
  ['src/schedule/a.ts', "export * from 'node-cron';", 'Policy is pure'],
  ['src/schedule/b.ts', "export const answer = fetch('http://localhost');", 'Pure folders do no I/O'],
  ['src/ports/a.ts', "export { WardenError } from '../errors/warden-error.ts';", 'ports are types only'],
  [
    'src/ports/b.ts',
    "import type { S3Store } from '../adapters/s3/store.ts';",
    'ports are what adapters and jobs agree on',
  ],
  ['src/adapters/s3/a.ts', "export * from '../../config/schema.ts';", 'An adapter turns one foreign thing'],
  ['src/adapters/b.ts', "export * from '../jobs/backup.ts';", 'An adapter turns one foreign thing'],
  ['src/adapters/s3/c.ts', 'process.exit(1);', 'Only src/main.ts may end the process'],
  ['src/errors/a.ts', "export * from '../ports/log.ts';", 'Everybody imports errors'],
  ['src/errors/b.ts', "export * from 'node:util';", 'Everybody imports errors'],
  [
    'src/repository/c.ts',
    "import { d } from './d.ts'; export const c = (): number => d();",
    'Dependency cycle detected',
  ],
  [
    'src/repository/d.ts',
    "import { c } from './c.ts'; export const d = (): number => c();",
    'Dependency cycle detected',
  ],
];

/** What the layers allow at their edges: nothing here may be held against its file. */
const allowed: readonly [file: string, code: string][] = [
  ['src/agent/compose.ts', "export * from '../adapters/s3/store.ts';"],
  ['src/agent/daemon/edge.ts', "export * from './agent.ts'; export * from '../compose.ts';"],
  ['src/cli/output.ts', "console.log('result');"],
  ['src/cli/edge.ts', "import type { Entry } from '../repository/catalogue.ts'; export type Shown = Entry;"],
  [
    'src/inspect/edge.ts',
    "export * from 'node:crypto'; export * from '@node-rs/crc32'; export * from '../errors/table.ts';",
  ],
  [
    'src/jobs/edge.ts',
    "export * from '../ports/etcd.ts'; export * from '../snapshot/seal.ts'; export * from 'node:fs/promises';",
  ],
  ['src/main.ts', "export * from './cli/program.ts'; process.exitCode = 1;"],
  [
    'src/ports/edge.ts',
    "import type { KeyringNode } from '@aws-crypto/material-management-node'; export type Keyring = KeyringNode;",
  ],
  ['src/snapshot/edge.ts', "export * from '../inspect/inspector.ts'; export * from '@aws-crypto/encrypt-node';"],
];

const layerRules = /no-restricted|no-cycle|no-console/;
const folders: string[] = [];

afterAll(async () => {
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true })));
});

describe('the layer rules', () => {
  let complaints: Map<string, string[]>;

  beforeAll(async () => {
    complaints = await lint(refused);
  });

  it.each(refused)('refuse in %s: %s', (file, _code, message) => {
    expect(complaints.get(file)).toEqual([expect.stringContaining(message)]);
  });

  it('are each provoked by one of these files', async () => {
    const messages = [...(await readFile(join(root, '.oxlintrc.json'), 'utf8')).matchAll(/"message": "([^"]+)"/g)];
    const provoked = [...complaints.values()].flat().join('\n');
    expect(messages.length).toBeGreaterThan(20);
    expect(messages.map((match) => match[1]).filter((message) => !provoked.includes(message ?? ''))).toEqual([]);
  });

  it('leave alone what each layer may do', async () => {
    expect(await lint(allowed)).toEqual(new Map());
  });
});

/** Messages by file of the project's own rules about layers, for files in a tree of their own. */
async function lint(
  files: readonly (readonly [file: string, code: string, ...unknown[]])[],
): Promise<Map<string, string[]>> {
  const folder = await mkdtemp(join(tmpdir(), 'etcd-warden-layers-'));
  folders.push(folder);
  await copyFile(join(root, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
  for (const [file, code] of files) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), `${code}\n`);
  }
  const printed = await new Promise<string>((resolved) => {
    // Its exit status is 1 by intention; what it printed is what counts.
    execFile(join(root, 'node_modules/.bin/oxlint'), ['--format=json', 'src'], { cwd: folder }, (_error, stdout) =>
      resolved(stdout),
    );
  });
  const { diagnostics } = JSON.parse(printed) as {
    diagnostics: { message: string; code: string; help?: string; filename: string }[];
  };
  const byRule = diagnostics.filter(({ code }) => layerRules.test(code));
  const found = Map.groupBy(byRule, ({ filename }) => filename);
  return new Map([...found].map(([file, list]) => [file, list.map(({ message, help }) => `${message} ${help ?? ''}`)]));
}
