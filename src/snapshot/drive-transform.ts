import type { Duplex } from 'node:stream';
import type { Bytes } from './bytes.ts';

/**
 * Runs `source` through a Node transform by hand: write a block, wait until it was taken, hand on what came out.
 * `stream.pipeline` is not used: with the Encryption SDK's encrypting stream it raises an uncaught "Premature close"
 * when it fails or is aborted. Nothing here destroys the transform; who made it releases it.
 *
 * The transform flows, so at most what one block of `source` turns into is held here. `convert` sees errors of the
 * transform only; those of `source` and the signal's reason pass as they are.
 */
export async function* driveTransform(
  source: Bytes,
  transform: Duplex,
  convert: (error: unknown) => Error,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const produced: Uint8Array[] = [];
  let failure: Error | undefined;
  let settle = (): void => undefined;

  const fail = (error: unknown): void => {
    failure ??= convert(error);
    settle();
  };
  transform.on('data', (chunk: Uint8Array) => produced.push(chunk));
  transform.on('error', fail);
  transform.on('end', () => settle());
  // The SDK reports some errors by event only and then never calls back, so both ways end the wait.
  const step = async (start: (done: (error?: Error | null) => void) => void): Promise<void> => {
    if (failure === undefined) {
      await new Promise<void>((resolve) => {
        settle = resolve;
        start((error) => (error ? fail(error) : resolve()));
      });
    }
    if (failure !== undefined) throw failure;
  };

  for await (const block of source) {
    signal.throwIfAborted();
    await step((done) => transform.write(block, done));
    yield* produced.splice(0);
  }
  await step(() => transform.end());
  yield* produced.splice(0);
}
