import * as z from 'zod';

/** How an option enters the schema: always with its reason, and with a default or an example. */

/** An option that need not be given. `value` is written as an operator would write it. */
export function optionWithDefault<S extends z.ZodType>(
  schema: S,
  value: z.input<S>,
  reason: string,
  example?: z.input<S>,
) {
  return z
    .prefault(schema, value)
    .meta({ description: reason, ...(example === undefined ? {} : { examples: [example] }) });
}

/** An option that is absent unless it is given. */
export function optionalOption<S extends z.ZodType>(schema: S, reason: string, example: z.input<S>) {
  return schema.optional().meta({ description: reason, examples: [example] });
}

/** An option without which the configuration is not valid. */
export function requiredOption<S extends z.ZodType>(schema: S, reason: string, example: z.input<S>): S {
  return schema.meta({ description: reason, examples: [example] });
}

/** Says what is wrong at `path`, which is relative to the section that the rule belongs to. */
export type Complain = (path: readonly PropertyKey[], complaint: string) => void;

/**
 * Adds a rule about several options at once. It is checked as soon as the options that it needs are valid by themselves,
 * whatever else is wrong, so that one run shows every error. `needs` are paths such as `snapshot.spool` or `*.name`.
 */
export function withRule<S extends z.ZodType>(
  schema: S,
  needs: readonly string[],
  check: (value: z.output<S>, complain: Complain) => void,
): S {
  const complainTo =
    (context: z.core.$RefinementCtx): Complain =>
    (path, message) =>
      context.addIssue({ code: 'custom', path: [...path], message, params: { isWholeSentence: true } });
  return schema.superRefine((value, context) => check(value, complainTo(context)), {
    when: ({ issues }) => !issues.some((issue) => concerns(issue, needs)),
  });
}

/** True for what a rule complained of: a whole sentence, to which the value found has nothing to add. */
export function isComplaint(issue: z.core.$ZodIssue | z.core.$ZodRawIssue): boolean {
  return issue.code === 'custom' && issue.params?.['isWholeSentence'] === true;
}

function concerns(issue: z.core.$ZodRawIssue, needs: readonly string[]): boolean {
  // Neither an unknown key nor a complaint of another rule makes an option's own value unsound.
  if (issue.code === 'unrecognized_keys' || isComplaint(issue)) return false;
  const path = issue.path ?? [];
  if (path.length === 0) return true;
  const written = path.map((key) => (typeof key === 'number' ? '*' : key)).join('.');
  return needs.some((need) => `${written}.`.startsWith(`${need}.`) || `${need}.`.startsWith(`${written}.`));
}
