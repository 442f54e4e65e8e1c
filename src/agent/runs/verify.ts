import type { Config } from '../../config/schema.ts';
import type { WardenError } from '../../errors/warden-error.ts';
import { verifyBackups, type VerifyResult } from '../../jobs/verify.ts';
import type { Progress } from '../../ports/progress.ts';
import type { Selection } from '../../repository/select-backups.ts';
import type { Parts } from '../compose.ts';
import { judgeVerified } from './judge.ts';

export interface VerifyRun {
  readonly result: VerifyResult;
  readonly error: WardenError | undefined;
}

/** Reads back what is selected, from the repositories in `parts`. */
export async function runVerify(
  parts: Parts & { readonly progress: Progress },
  { cluster }: Config,
  selection: Selection,
  signal: AbortSignal,
): Promise<VerifyRun> {
  const result = await verifyBackups(parts, cluster.name, selection, signal);
  return { result, error: judgeVerified(result, parts.repositories.length) };
}
