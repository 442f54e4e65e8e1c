import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { assembleImage } from '../../image/assemble.ts';
import { readDockerfile } from '../../image/dockerfile.ts';

/** The image as a container sees it. */
export interface Image {
  readonly mounts: readonly (readonly [source: string, target: string, mode: 'ro'])[];
  readonly entrypoint: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** What the project's Dockerfile makes, in a folder. */
export async function makeImage(folder: string): Promise<Image> {
  const root = await assembleImage(folder);
  const { stages } = readDockerfile(await readFile(resolve(import.meta.dirname, '../../../Dockerfile'), 'utf8'));
  const { instructions = [] } = stages.find(({ name }) => name === 'agent') ?? {};
  const texts = (name: string): string[] => instructions.filter((one) => one.name === name).map(({ text }) => text);
  return {
    mounts: (await readdir(root)).map((name) => [join(root, name), `/${name}`, 'ro']),
    entrypoint: JSON.parse(texts('ENTRYPOINT')[0] ?? '[]') as string[],
    env: Object.fromEntries(texts('ENV').map((text) => text.split('=', 2) as [string, string])),
  };
}
