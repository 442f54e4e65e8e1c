import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const generated = 'src/adapters/etcd/generated';

it('the committed etcd client code is what proto/ gives', async () => {
  const target = await mkdtemp(join(tmpdir(), 'etcd-warden-generated-'));
  try {
    const args = ['generate', 'proto', '--template', 'proto/buf.gen.yaml', '--output', target];
    await promisify(execFile)(join(root, 'node_modules/.bin/buf'), args, {
      cwd: root,
      env: { ...process.env, PATH: `${join(root, 'node_modules/.bin')}:${process.env['PATH']}` },
    });
    expect(await filesOf(join(root, generated))).toEqual(await filesOf(join(target, generated)));
  } finally {
    await rm(target, { recursive: true });
  }
});

async function filesOf(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder)).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  return Object.fromEntries(names.map((name, at) => [name, texts[at] ?? '']));
}
