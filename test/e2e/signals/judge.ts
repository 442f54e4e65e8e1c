import type { EndedWarden } from '../support/warden-process.ts';
import type { Stage } from './moment.ts';
import type { Evidence } from './signalled-run.ts';

const endsWithinMs = 10_000;

/** In these a signal may come when nothing is left to be done: on a fast machine all of them take less than 50 ms. */
const lastStages: ReadonlySet<Stage> = new Set(['complete', 'manifest', 'prune', 'exit']);

export interface Verdict {
  /** How the run ended, such as `SIGTERM, backup stored`. */
  readonly outcome: string;
  /** Everything that is wrong, a sentence each. */
  readonly faults: readonly string[];
}

export function judge(evidence: Evidence): Verdict {
  const { ended, signalled, verified } = evidence;
  const how = ended.signal ?? `status ${ended.status}`;
  const told = ended.stdout === '' ? 'nothing told' : (codeOf(ended) ?? 'succeeded');
  const stored = verified.length > 0 ? 'backup stored' : 'no backup';
  return {
    outcome: `${signalled ? '' : 'not signalled, '}${how}, ${told}, ${stored}`,
    faults: [...judgeEnd(evidence), ...judgeReport(evidence), ...judgeRemains(evidence), ...judgeBackups(evidence)],
  };
}

function judgeEnd(evidence: Evidence): string[] {
  const { moment, signalled, tookMs, ended } = evidence;
  const found: string[] = [];
  if (signalled && tookMs > endsWithinMs) found.push(`ended ${tookMs} ms after the signal`);
  if (isOverBySuccess(evidence) && (!signalled || lastStages.has(moment.stage))) return found;
  if (!signalled) found.push(`was not signalled and ended with status ${ended.status}: ${ended.stderr}`);
  else if (ended.signal !== 'SIGTERM') found.push(`status ${ended.status} does not say SIGTERM: ${ended.stderr}`);
  return found;
}

/** One document and one last line, unless Node itself was not there yet to be told. */
function judgeReport({ moment, signalled, ended }: Evidence): string[] {
  const isUntold = ended.stdout === '' && ended.stderr === '';
  if (isUntold && signalled && moment.stage === 'start') return [];
  const code = codeOf(ended);
  // A signal that comes behind the work leaves its result as it is.
  const isDone = code === undefined && ended.stdout !== '' && (!signalled || lastStages.has(moment.stage));
  const found = code === 'interrupted' || isDone ? [] : [`the result says ${code ?? 'nothing'}: ${ended.stdout}`];
  const lastLine = ended.stderr.trimEnd().split('\n').at(-1) ?? '';
  if (code === 'interrupted' && moment.stage !== 'start') {
    if (!lastLine.includes('"code":"interrupted"')) found.push(`the last line says ${lastLine}`);
  }
  return found;
}

function judgeRemains({ isLocked, openUploads, strayFiles, contents, readTransactions }: Evidence): string[] {
  const found = openUploads.map((name) => `the upload of ${name} was left open`);
  if (isLocked) found.push('the lock is still held');
  for (const name of strayFiles) found.push(`${name} was left among temporary files`);
  for (const name of contents.filter((one) => one.includes('.part-'))) found.push(`${name} was left unfinished`);
  const { before, after } = readTransactions;
  if (after > before) found.push(`${after} transactions read etcd's database, ${before} did before`);
  return found;
}

/** A manifest never stands alone, and whatever is a backup by its manifest is whole. */
function judgeBackups(evidence: Evidence): string[] {
  const { contents, verified } = evidence;
  const alone = contents
    .filter((name) => name.endsWith('/manifest.json'))
    .map((name) => name.slice(0, -'manifest.json'.length))
    .filter((folder) => !contents.some((name) => name.startsWith(`${folder}snapshot.`)));
  return [
    ...alone.map((folder) => `${folder} has a manifest and no snapshot`),
    ...(isOverBySuccess(evidence) && verified.length === 0 ? ['the run ended well and stored nothing'] : []),
    ...verified
      .filter(({ status }) => status !== 0)
      .map(({ stdout, stderr }) => `a backup of this run does not verify: ${stdout}\n${stderr}`),
  ];
}

const isOverBySuccess = ({ ended }: Evidence): boolean => ended.status === 0 && ended.signal === undefined;

function codeOf(ended: EndedWarden): string | undefined {
  if (ended.stdout === '') return undefined;
  return (ended.json() as { error?: { code: string } }).error?.code;
}
