import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { localRepository } from './places.ts';
import { type EndedWarden, startWarden } from './warden-process.ts';
import { makeTempFolder, writeConfig } from './warden.ts';

/** What `defrag --json` prints. */
export interface DefragDocument {
  readonly verdict: 'go' | 'refuse';
  readonly because?: string;
  readonly explanation?: string;
  readonly steps: readonly {
    readonly member: string;
    readonly role: string;
    readonly moveLeaderTo: string | null;
    readonly reasons: readonly string[];
  }[];
  readonly skipped: readonly { readonly member: string; readonly reasons: readonly string[] }[];
  readonly moves: readonly { readonly from: string; readonly to: string }[];
  readonly members: readonly {
    readonly name: string;
    readonly beforeBytes: number;
    readonly afterBytes: number | null;
    readonly outlastedCall: boolean;
  }[];
  readonly disarmed: readonly string[];
  readonly nospaceStays: string | null;
  readonly stoppedBy: { readonly code: string; readonly message: string } | null;
  readonly error?: { readonly code: string; readonly message: string; readonly details?: object };
}

/** A configuration with a folder for backups, and the command line on it. */
export interface Workplace extends AsyncDisposable {
  /** `cluster` and whatever else the test is about. */
  configure(sections: object): Promise<void>;
  readonly configFile: string;
  /** Writes a file of the test's own; resolves with its path. */
  write(name: string, content: string): Promise<string>;
  run(...args: readonly string[]): Promise<EndedWarden>;
}

export async function makeWorkplace(): Promise<Workplace> {
  const folder = await makeTempFolder();
  const repository = join(folder.path, 'repository');
  await mkdir(repository);
  let configFile = '';
  return {
    configure: async (sections) => {
      const whole = { encryption: 'none', repositories: [localRepository(repository)], ...sections };
      configFile = await writeConfig(folder.path, whole);
    },
    get configFile() {
      return configFile;
    },
    write: async (name, content) => {
      const path = join(folder.path, name);
      await writeFile(path, content, { mode: 0o600 });
      return path;
    },
    run: async (...args) => {
      await using running = startWarden([...args, '--json'], { configFile });
      return await running.ended;
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

/** Why each member is passed by, by name. */
export function skippedIn({ skipped }: DefragDocument): Record<string, string> {
  return Object.fromEntries(skipped.map(({ member, reasons }) => [member, reasons.join('; ')]));
}
