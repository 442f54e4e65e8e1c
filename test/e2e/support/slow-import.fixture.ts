/**
 * Imported into a process before anything else: loading the command line takes a second and a half, and is told of, as on a
 * machine that is busy.
 */
import { writeSync } from 'node:fs';
import { registerHooks } from 'node:module';

const takesMs = 1500;

registerHooks({
  load: (url, context, next) => {
    if (url.endsWith('/src/cli/program.ts')) {
      writeSync(2, 'importing\n');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, takesMs);
    }
    return next(url, context);
  },
});
