import { execFile } from 'node:child_process';
import { cp, mkdir, readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { cleanEnvironment } from '../support/process.ts';
import { readDockerfile, type Stage, stagesFor } from './dockerfile.ts';

const project = resolve(import.meta.dirname, '../..');

/** The image that is built without a target: resolves with its folder, as its file system would be. */
export async function assembleImage(folder: string): Promise<string> {
  return (await assembleStages(folder, 'agent')).get('agent') ?? folder;
}

/**
 * Carries the project's Dockerfile out without an engine: what the stages copy and run, in a folder a stage, on this machine
 * instead of the base images. Resolves with the folder of each stage that `target` needs, as its file system would be.
 */
export async function assembleStages(folder: string, target: string): Promise<ReadonlyMap<string, string>> {
  const { stages } = readDockerfile(await readFile(join(project, 'Dockerfile'), 'utf8'));
  const roots = new Map<string, string>();
  for (const stage of stagesFor(target, stages)) {
    const root = join(folder, stage.name);
    roots.set(stage.name, root);
    const base = roots.get(stage.base);
    if (base === undefined) await mkdir(root, { recursive: true });
    else await cp(base, root, { recursive: true, verbatimSymlinks: true });
    // As the base image has it.
    if (stage.base === '${RUN_IMAGE}') await cp(process.execPath, join(root, 'nodejs/bin/node'));
    await carryOut(stage, root, roots);
  }
  return roots;
}

async function carryOut({ instructions }: Stage, root: string, roots: ReadonlyMap<string, string>): Promise<void> {
  let workdir = root;
  for (const { name, text } of instructions) {
    if (name === 'WORKDIR') {
      workdir = join(root, text);
      await mkdir(workdir, { recursive: true });
    }
    if (name === 'COPY') await copy(text, { root, workdir, roots });
    if (name === 'RUN')
      await promisify(execFile)('sh', ['-ec', text], { cwd: workdir, env: cleanEnvironment(), maxBuffer: 2 ** 26 });
  }
}

async function copy(
  text: string,
  { root, workdir, roots }: { root: string; workdir: string; roots: ReadonlyMap<string, string> },
): Promise<void> {
  const [, from, rest = ''] = /^(?:--from=(\S+) )?(.*)$/.exec(text) ?? [];
  const [target = '', ...sources] = rest.split(' ').reverse();
  const source = from === undefined ? project : roots.get(from);
  if (source === undefined) throw new Error(`COPY from ${from}, which is no stage before`);
  const into = target.startsWith('/') ? join(root, target) : join(workdir, target);
  for (const path of sources) {
    if (from === undefined) await requireInContext(path);
    const isIntoFolder = target.endsWith('/');
    await cp(join(source, path), isIntoFolder ? join(into, basename(path)) : into, {
      recursive: true,
      verbatimSymlinks: true,
    });
  }
}

/** A file that .dockerignore keeps out is not there to be copied. */
async function requireInContext(path: string): Promise<void> {
  const allowed = (await readFile(join(project, '.dockerignore'), 'utf8'))
    .split('\n')
    .filter((line) => line.startsWith('!'));
  if (!allowed.includes(`!${path}`)) throw new Error(`${path} is copied, but .dockerignore keeps it out`);
}
