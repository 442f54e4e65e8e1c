import { PassThrough } from 'node:stream';
import { runCommandLine } from '../../src/cli/program.ts';

/** A stream as `process.stdout` is one, that keeps what is written to it. */
export class RecordedStream extends PassThrough {
  readonly fd = -1;
  readonly isTTY: boolean;
  text = '';

  constructor(isTTY = false) {
    super();
    this.isTTY = isTTY;
    this.on('data', (chunk: Buffer) => {
      this.text += chunk.toString();
    });
  }

  getColorDepth(): number {
    return this.isTTY ? 4 : 1;
  }
}

export const asTerminalStream = (stream: RecordedStream): NodeJS.WriteStream => stream as unknown as NodeJS.WriteStream;

/** A process that nobody tells anything. */
export const noProcess = { limitShutdown: () => undefined, onHangup: () => undefined, interrupt: () => undefined };

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The JSON document on stdout; fails if there is not exactly one. */
  readonly json: () => Record<string, unknown>;
}

/** Runs a command line in this process, as main.ts does. */
export async function runCli(
  args: readonly string[],
  { env = {}, signal = new AbortController().signal }: { env?: Record<string, string>; signal?: AbortSignal } = {},
): Promise<Ran> {
  const [stdout, stderr] = [new RecordedStream(), new RecordedStream()];
  const surroundings = { ...noProcess, env, stdout: asTerminalStream(stdout), stderr: asTerminalStream(stderr) };
  const status = await runCommandLine(args, surroundings, signal);
  // What was written arrives at the listener in a later turn.
  for (const stream of [stdout, stderr]) await new Promise((flushed) => stream.end(flushed));
  return {
    status,
    stdout: stdout.text,
    stderr: stderr.text,
    json: () => JSON.parse(stdout.text) as Record<string, unknown>,
  };
}
