import fc from 'fast-check';

/** Expressions of any shape that the configuration takes, common ones more often than odd ones. */

const field = (lowest: number, highest: number): fc.Arbitrary<string> => {
  const value = fc.integer({ min: lowest, max: highest });
  const range = fc.tuple(value, value).map((ends) => ends.toSorted((a, b) => a - b).join('-'));
  const step = fc.integer({ min: 1, max: Math.floor((highest - lowest) / 2) });
  const stepped = step.map((every) => `*/${every}`);
  const list = fc
    .array(fc.oneof(value.map(String), range), { minLength: 1, maxLength: 3 })
    .map((parts) => parts.join(','));
  return fc.oneof({ weight: 2, arbitrary: fc.constant('*') }, stepped, list);
};

const minutes = field(0, 59);
const hours = fc.oneof(
  { weight: 2, arbitrary: field(0, 23) },
  fc.constantFrom('0-23', '0-3', '1-4', '2', '23', '0', '22-23'),
);
// Every day most often: what is to be seen happens on a few days of the year.
const days = fc.oneof(
  { weight: 4, arbitrary: fc.constant(['*', '*', '*']) },
  field(1, 28).map((dayOfMonth) => [dayOfMonth, '*', '*']),
  field(1, 12).map((month) => ['*', month, '*']),
  field(0, 6).map((dayOfWeek) => ['*', '*', dayOfWeek]),
);

export const anyExpression = fc
  .tuple(minutes, hours, days)
  .map(([minute, hour, rest]) => [minute, hour, ...rest].join(' '));

export const anyExpressionWithSeconds = fc.tuple(field(0, 59), anyExpression).map((parts) => parts.join(' '));
