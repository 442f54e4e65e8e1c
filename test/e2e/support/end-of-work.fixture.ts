/**
 * Imported into a process before anything else: it ends when there is nothing left to be done, and not before. What would
 * keep it alive, such as an open connection or a timer, does.
 */
const exit: (code?: number) => void = (code) => void (process.exitCode = code);
Object.assign(process, { exit });
