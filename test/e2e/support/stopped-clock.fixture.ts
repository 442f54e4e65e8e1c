/**
 * Imported into a process before anything else: its wall clock stands at the time that STOPPED_AT names, so that several
 * processes do something in the same millisecond. Timers and monotonic time go on.
 */
const stoppedAt = Date.parse(process.env['STOPPED_AT'] ?? '');
if (Number.isNaN(stoppedAt)) throw new Error('STOPPED_AT is no time');

globalThis.Date = new Proxy(Date, {
  construct: (target, args: readonly unknown[], newTarget) =>
    Reflect.construct(target, args.length === 0 ? [stoppedAt] : args, newTarget) as Date,
  get: (target, name, receiver) =>
    name === 'now' ? () => stoppedAt : (Reflect.get(target, name, receiver) as unknown),
});
