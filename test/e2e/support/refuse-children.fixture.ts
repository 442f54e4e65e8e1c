/** Imported into a process before anything else: it can start no other process, by whatever path. */
import { ChildProcess } from 'node:child_process';
import childProcess from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';

const refuse = (): never => {
  throw Object.assign(new Error('a process was to be started'), { code: 'EPERM' });
};

// Every asynchronous call comes down to this one.
Object.assign(ChildProcess.prototype, { spawn: refuse });
for (const name of ['spawnSync', 'execSync', 'execFileSync'] as const) childProcess[name] = refuse;
syncBuiltinESMExports();
