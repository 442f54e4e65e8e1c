import { readdir, readFile } from 'node:fs/promises';

/** Signals every process of the group that `leader` leads; one that is gone already is no error. */
export function signalProcessGroup(leader: number | undefined, signal: NodeJS.Signals): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** The living processes of a group, each as `name (pid 123)`; a zombie, which only waits to be reaped, is none. */
export async function describeProcessGroup(group: number): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
      // pid (name) state parent group …, where the name may itself hold spaces and parentheses. Source: proc(5).
      const match = /^\d+ \((.*)\) (\S) \d+ (\d+) /s.exec(stat);
      if (match === null || match[2] === 'Z' || Number(match[3]) !== group) return undefined;
      return `${match[1]} (pid ${pid})`;
    }),
  );
  return found.filter((process) => process !== undefined);
}
