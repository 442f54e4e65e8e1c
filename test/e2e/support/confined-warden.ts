import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, readdir, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { text } from 'node:stream/consumers';

const project = resolve(import.meta.dirname, '../../..');

const sources = { folder: project, node: relative(project, process.execPath), main: 'src/main.ts' };

/** A user that no system knows: no entry in /etc/passwd, no home. */
export const nobody = 64_998;

/**
 * $1 the project, $2 where nobody can read it, whatever the folders above allow; $3 how many folders may be written; then
 * these, then the command. Everything else is read-only, and what is mounted goes with the process.
 */
const script = `
set -eu
mount --make-rprivate /
mount --bind "$1" "$2"
count=$3
shift 3
writable=
while [ "$count" -gt 0 ]; do
  mount --bind "$1" "$1"
  writable="$writable $1 "
  shift
  count=$((count - 1))
done
while read -r _ target kind _; do
  case "$kind" in proc | sysfs | cgroup*) continue ;; esac
  case "$writable" in *" $target "*) continue ;; esac
  mount -o remount,bind,ro "$target" 2>/dev/null || true
done </proc/self/mounts
cd /
exec setpriv --reuid ${nobody} --regid ${nobody} --clear-groups --no-new-privs --bounding-set=-all -- "$@"
`;

export interface ConfinedOptions {
  readonly configFile: string;
  /** Folders that may be written; everything else is read-only. */
  readonly writable: readonly string[];
  /** All that the process has in its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Files of the project, to be imported before anything else. */
  readonly imports?: readonly string[];
  /** Where the program is, if not in the sources of the project. */
  readonly program?: { readonly folder: string; readonly node: string; readonly main: string };
}

export interface ConfinedRun {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line as `runConfinedProgram` runs a program. */
export function runConfined(args: readonly string[], options: ConfinedOptions): Promise<ConfinedRun> {
  const { configFile, writable, env, imports = [], program = sources } = options;
  return runConfinedProgram({ folder: program.folder, writable, env }, (seen) => [
    seen(join(program.folder, program.node)),
    ...imports.map((path) => `--import=${seen(path)}`),
    seen(join(program.folder, program.main)),
    '--config',
    configFile,
    ...args,
  ]);
}

/**
 * Runs a program of a folder as a user without a name, home or rights, in a mount namespace whose every file system is
 * read-only but for the folders that are given. `command` is told where a path in that folder is seen. Needs root.
 */
export async function runConfinedProgram(
  { folder, writable, env }: Pick<ConfinedOptions, 'writable' | 'env'> & { readonly folder: string },
  command: (seen: (path: string) => string) => readonly string[],
): Promise<ConfinedRun> {
  const readable = await mkdtemp(join(tmpdir(), 'etcd-warden-project-'));
  const seen = (path: string): string => (path.startsWith(folder) ? join(readable, relative(folder, path)) : path);
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const folders = [folder, readable, `${writable.length}`, ...writable];
  try {
    const confined = ['--mount', 'sh', '-c', script, 'sh', ...folders, 'env', '-i', ...variables, ...command(seen)];
    const child = spawn('unshare', confined, { stdio: ['ignore', 'pipe', 'pipe'] });
    const [[status], stdout, stderr] = await Promise.all([
      once(child, 'close') as Promise<[number | null]>,
      text(child.stdout),
      text(child.stderr),
    ]);
    return { status, stdout, stderr };
  } finally {
    // Never what is in it: should it be mounted here after all, that is the project.
    await rmdir(readable);
  }
}

/** Gives a folder and everything in it to the user that confined commands run as. */
export async function giveToNobody(folder: string): Promise<void> {
  await chown(folder, nobody, nobody);
  for (const name of await readdir(folder, { recursive: true })) await chown(join(folder, name), nobody, nobody);
}
