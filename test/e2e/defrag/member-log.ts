/** One Defragment call as the member's own log tells it, by its clock. */
export interface DefragCall {
  readonly member: string;
  readonly beganMs: number;
  /** undefined where the member did not come to an end of it. */
  readonly endedMs: number | undefined;
}

/** Begins and ends of Defragment calls. Source: etcd server/etcdserver/api/v3rpc/maintenance.go. */
const began = 'starting defragment';
const ended: ReadonlySet<string> = new Set(['finished defragment', 'failed to defragment']);

/** The calls in what a member printed with `--log-level=info`, from a moment on. A member takes one call after the other. */
export function readDefragCalls(member: string, printed: string, sinceMs = 0): readonly DefragCall[] {
  const calls: DefragCall[] = [];
  for (const line of printed.split('\n')) {
    const { msg, ts } = parseLine(line);
    const atMs = Date.parse(ts);
    if (!(atMs >= sinceMs)) continue;
    if (msg === began) calls.push({ member, beganMs: atMs, endedMs: undefined });
    const index = calls.findIndex(({ endedMs }) => endedMs === undefined);
    const open = calls[index];
    if (ended.has(msg) && open !== undefined) calls[index] = { ...open, endedMs: atMs };
  }
  return calls;
}

function parseLine(line: string): { readonly msg: string; readonly ts: string } {
  try {
    return { msg: '', ts: '', ...(JSON.parse(line) as object) };
  } catch {
    return { msg: '', ts: '' };
  }
}
