/**
 * Imported into a process before anything else: at SIGUSR2 something is thrown that nobody catches, as a defect would. THROWN
 * says what, and with THROWN_BY=rejection it is a promise that rejects with it.
 */
const values: Readonly<Record<string, () => unknown>> = {
  'error': () => new Error('made by a test'),
  'empty error': () => new Error(''),
  'string': () => 'made by a test',
  'undefined': () => undefined,
  'aggregate': () => new AggregateError([new Error('made by a test'), new Error('')]),
  'gRPC error without details': () => Object.assign(new Error(''), { code: 14, details: '' }),
};
const value = values[process.env['THROWN'] ?? ''];
if (value === undefined) throw new Error('THROWN names nothing');

process.on('SIGUSR2', () => {
  if (process.env['THROWN_BY'] === 'rejection') void Promise.reject(value());
  else throw value();
});
