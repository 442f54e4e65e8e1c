import { toWardenError, type WardenError } from '../errors/warden-error.ts';
import type { Inspection } from '../inspect/inspection.ts';
import { createInspector } from '../inspect/inspector.ts';
import type { KeyProvider } from '../ports/key-provider.ts';
import type { LocalFiles } from '../ports/local-files.ts';
import type { Progress } from '../ports/progress.ts';
import { describeFormat } from '../snapshot/formats.ts';
import { openFile } from '../snapshot/open-file.ts';
import { proveSound } from '../snapshot/prove.ts';

export interface InspectedFile {
  /** Absolute. */
  readonly path: string;
  /** What the file is, in words: `a bolt database`, `an AWS Encryption SDK message`. */
  readonly format: string;
  readonly inspection: Inspection;
  /** What is wrong with it, if anything. */
  readonly problem: WardenError | undefined;
}

/** The facts of a snapshot file in any stored form. Damage is a fact here, not a rejection. */
export async function inspectFile(
  files: LocalFiles,
  source: string,
  identities: readonly KeyProvider[],
  progress: Progress,
  signal: AbortSignal,
): Promise<InspectedFile> {
  const file = files.read(source, signal);
  const { format, snapshot } = await openFile(file, identities, signal);
  const inspector = createInspector();
  let doneBytes = 0;
  progress({ kind: 'stage', text: `reading ${file.path}` });
  for await (const block of snapshot) {
    signal.throwIfAborted();
    inspector.write(block);
    doneBytes += block.length;
    progress({ kind: 'bytes', doneBytes, totalBytes: undefined });
  }
  const inspection = inspector.finish();
  return { path: file.path, format: describeFormat(format), inspection, problem: findProblem(inspection) };
}

function findProblem(inspection: Inspection): WardenError | undefined {
  try {
    proveSound(inspection);
    return undefined;
  } catch (error) {
    return toWardenError(error);
  }
}
