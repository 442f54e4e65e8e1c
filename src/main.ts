#!/usr/bin/env node
// Imports nothing at the top but what every Node can read: an old one must get a sentence, not a syntax error.
import { setFlagsFromString } from 'node:v8';

const leastNode = 26;
const nodeMajor = Number(process.versions.node.split('.')[0]);

if (nodeMajor < leastNode) {
  process.stderr.write(
    `error: etcd-warden needs Node ${leastNode} or newer, this is ${process.versions.node}: older ones read cut zstd data as whole\n`,
  );
  process.exit(2);
}

/**
 * Blocks of bytes lie outside the heap and are let go when it is collected. With a young generation that grows, that is so
 * seldom that a backup takes 280 MiB at its peak instead of 210; where bytes outside the heap have a limit of their own,
 * it is so often that it costs half a second a gigabyte. Measured with `npm run bench`.
 */
setFlagsFromString('--semi-space-growth-factor=1');
setFlagsFromString('--external-memory-accounted-in-global-limit');

// How the process ends is settled before the rest is loaded, which takes a while: what process 1 of a container does not
// handle yet is lost, a SIGTERM among it.
const { describeCauses } = await import('./errors/describe-causes.ts');
const { exitStatus } = await import('./errors/table.ts');
const { toWardenError, WardenError } = await import('./errors/warden-error.ts');

/** Signals that end a run cleanly, with the numbers that shells add to 128. */
const signalNumbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
type SignalName = keyof typeof signalNumbers;

/** Of the usual half minute that Kubernetes gives; a configuration may say otherwise. */
let shutdownTimeoutMs = 25_000;
const interruption = new AbortController();
let received: SignalName | undefined;
let reload: (() => void) | undefined;

for (const name of Object.keys(signalNumbers) as SignalName[]) {
  process.on(name, () => {
    if (name === 'SIGHUP' && reload !== undefined) return reload();
    // The second one means: at once.
    if (received !== undefined) endBySignal(name);
    received = name;
    interrupt(new WardenError('interrupted', `ended by ${name}`), () => endBySignal(name));
  });
}

/** A defect must neither hide nor leave anything open: it ends the run as a signal does, and is told as its reason. */
let defect: InstanceType<typeof WardenError> | undefined;
let isDefectTold = false;
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (thrown: unknown) => {
    defect ??= toWardenError(thrown);
    interrupt(defect, () => process.exit(exitStatus.failed));
  });
}

/** Where the command died of it, or was done already, nobody else tells it, and the status would be 0. */
process.on('exit', () => {
  if (defect === undefined || isDefectTold) return;
  process.exitCode = exitStatus.failed;
  const { code, message: msg } = defect;
  const line = { level: 'error', time: new Date().toISOString(), code, msg, causes: describeCauses(defect) };
  process.stderr.write(`${JSON.stringify(line)}\n`);
});

function interrupt(reason: InstanceType<typeof WardenError>, endAtOnce: () => void): void {
  if (interruption.signal.aborted) return;
  interruption.abort(reason);
  setTimeout(() => {
    const seconds = shutdownTimeoutMs / 1000;
    process.stderr.write(`error: ${reason.message}; not everything could be released within ${seconds} s\n`);
    endAtOnce();
  }, shutdownTimeoutMs).unref();
}

/** A reader that has gone, such as `head`, wants no more; any other failure means that the result was lost. */
let isOutputLost = false;
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') isOutputLost = true;
  });
}

const { runCommandLine } = await import('./cli/program.ts');
const status = await runCommandLine(
  process.argv.slice(2),
  {
    env: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
    limitShutdown: (limitMs) => void (shutdownTimeoutMs = limitMs),
    onHangup: (listener) => void (reload = listener),
    interrupt: (reason) => interrupt(reason, () => process.exit(exitStatus.failed)),
  },
  interruption.signal,
);
isDefectTold = status !== 0;
// Promises that nobody awaits are told of at the end of a turn.
await new Promise(setImmediate);
// What was printed may still wait in a pipe.
await Promise.all(
  [process.stdout, process.stderr].map((stream) => new Promise((flushed) => stream.write('', flushed))),
);
if (received !== undefined) {
  endBySignal(received);
} else if (isOutputLost && status === 0) {
  process.stderr.write('error: the result could not be written to standard output; the command itself succeeded\n');
  process.exit(1);
} else {
  process.exit(status);
}

/**
 * Raises the signal again, without us in its way: whoever started us sees the true reason, 128+n, and it works where
 * `process.exit` would wait for a thread that hangs in a dead file system. Process 1 of a container ignores signals that it
 * does not handle; then an exit has to do.
 */
function endBySignal(name: SignalName): void {
  process.removeAllListeners(name);
  process.kill(process.pid, name);
  setTimeout(() => process.exit(128 + signalNumbers[name]), 200);
}
