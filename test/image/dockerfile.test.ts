import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readDockerfile, type Stage, stagesFor } from './dockerfile.ts';

describe('the Dockerfile', () => {
  let args: ReadonlyMap<string, string>;
  let stages: readonly Stage[];

  beforeAll(async () => {
    ({ args, stages } = readDockerfile(
      await readFile(join(resolve(import.meta.dirname, '../..'), 'Dockerfile'), 'utf8'),
    ));
  });

  it('makes the agent where no target is given, and needs no Go for it', () => {
    expect(stages.at(-1)).toEqual({ name: 'default', base: 'agent', instructions: [] });
    expect(namesFor('default')).toEqual(['build', 'agent', 'default']);
    expect(namesFor('tools')).toEqual(['build', 'agent', 'etcd', 'tools']);
  });

  it('lets a release give every image that it starts from by digest', () => {
    const own = new Set(stages.map(({ name }) => name));
    const foreign = stages.map(({ base }) => base).filter((base) => !own.has(base));
    expect(foreign.sort()).toEqual([...args.keys()].map((name) => `\${${name}}`).sort());
  });

  const namesFor = (target: string): readonly string[] => stagesFor(target, stages).map(({ name }) => name);
});
