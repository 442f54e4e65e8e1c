import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { styleText } from 'node:util';

/** Runs a command with its output on this terminal, as a person would have typed it; rejects if it fails. */
export async function runStep(
  command: string,
  args: readonly string[],
  { shownAs, quiet = false }: { readonly shownAs: string; readonly quiet?: boolean },
): Promise<void> {
  console.log(`\n${styleText('bold', `$ ${shownAs}`)}`);
  const printed: Buffer[] = [];
  const child = spawn(command, args, { stdio: ['ignore', quiet ? 'pipe' : 'inherit', quiet ? 'pipe' : 'inherit'] });
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => printed.push(chunk));
  const [status] = (await once(child, 'exit')) as [number | null];
  if (status !== 0) throw new Error(`${shownAs} ended with status ${status}\n${Buffer.concat(printed).toString()}`);
  if (quiet) console.log('(done)');
}
