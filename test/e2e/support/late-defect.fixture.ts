/**
 * Imported into a process before anything else: something goes wrong where no command can answer for it any more. DEFECT
 * says where: the command line itself dies of it (`command`), or it comes when the result is printed (`result`).
 */
import { registerHooks } from 'node:module';

const where = process.env['DEFECT'];

if (where === 'command') {
  const source =
    'export const runCommandLine = async () => { throw new Error("made by a test", { cause: new Error("the true reason") }); };';
  registerHooks({
    load: (url, context, next) =>
      url.endsWith('/src/cli/program.ts') ? { format: 'module', shortCircuit: true, source } : next(url, context),
  });
}

if (where === 'result') {
  const write = process.stdout.write.bind(process.stdout) as (...args: readonly unknown[]) => boolean;
  const writeAndReject = (...args: readonly unknown[]): boolean => {
    Object.assign(process.stdout, { write });
    void Promise.reject(new Error('made by a test', { cause: new Error('the true reason') }));
    return write(...args);
  };
  Object.assign(process.stdout, { write: writeAndReject });
}
