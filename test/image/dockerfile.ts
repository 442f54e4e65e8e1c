/** One instruction of a Dockerfile, its continued lines joined. */
export interface Instruction {
  readonly name: string;
  readonly text: string;
}

/** From one FROM to the next. */
export interface Stage {
  readonly name: string;
  /** As it is written: an image, an ARG or another stage. */
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

/** As much of the format as the project's own file uses; throws for the rest. Source: docs.docker.com/reference/dockerfile. */
export function readDockerfile(text: string): {
  readonly args: ReadonlyMap<string, string>;
  readonly stages: readonly Stage[];
} {
  const args = new Map<string, string>();
  const stages: { name: string; base: string; instructions: Instruction[] }[] = [];
  for (const { name, text: rest } of readInstructions(text)) {
    if (name === 'FROM') {
      const [, base = '', stage = ''] = /^(\S+) AS (\S+)$/.exec(rest) ?? [];
      stages.push({ name: stage, base, instructions: [] });
    } else if (name === 'ARG' && stages.length === 0) {
      const [key = '', value = ''] = rest.split(/=(.*)/s);
      args.set(key, value);
    } else {
      const stage = stages.at(-1);
      if (stage === undefined) throw new Error(`${name} stands before the first FROM`);
      stage.instructions.push({ name, text: rest });
    }
  }
  return { args, stages };
}

/** What an engine carries out to build a stage: what it is made of, and what that is made of, and last the stage itself. */
export function stagesFor(target: string, stages: readonly Stage[]): readonly Stage[] {
  const needed = new Set([target]);
  for (const { name, base, instructions } of stages.toReversed()) {
    if (!needed.has(name)) continue;
    needed.add(base);
    for (const { text } of instructions) {
      const [, from] = /^--from=(\S+) /.exec(text) ?? [];
      if (from !== undefined) needed.add(from);
    }
  }
  return stages.filter(({ name }) => needed.has(name));
}

function readInstructions(text: string): Instruction[] {
  const lines = text.split('\n').filter((line) => !/^\s*(#|$)/.test(line));
  const joined = lines.join('\n').replaceAll(/\\\n\s*/g, '');
  return joined.split('\n').map((line) => {
    const [, name, rest] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
    if (name === undefined || rest === undefined) throw new Error(`no instruction: ${line}`);
    return { name, text: rest };
  });
}
