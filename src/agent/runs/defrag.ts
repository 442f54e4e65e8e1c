import type { Config } from '../../config/schema.ts';
import type { WardenError } from '../../errors/warden-error.ts';
import { runDefrag as defragmentMembers, type DefragOptions, type DefragRun } from '../../jobs/defrag.ts';
import type { Progress } from '../../ports/progress.ts';
import type { Parts } from '../compose.ts';
import { defragFacts, defragParts } from '../defrag.ts';
import { measureDefragged } from '../measure-outcomes.ts';
import { judgeDefrag } from './judge.ts';

export async function runDefrag(
  parts: Parts & { readonly progress: Progress },
  config: Config,
  request: DefragOptions['request'],
  signal: AbortSignal,
): Promise<{ readonly run: DefragRun; readonly error: WardenError | undefined }> {
  const run = await defragmentMembers(
    { ...defragParts(parts, config), progress: parts.progress },
    { ...defragFacts(config), request },
    signal,
  );
  measureDefragged(parts.measures, run.members);
  return { run, error: judgeDefrag(run) };
}
