import { configJsonSchema } from '../../src/config/json-schema.ts';

type Schema = Readonly<Record<string, unknown>>;

/**
 * The schema of the agent's configuration, as the chart can ask for it:
 *
 * - nothing is required outside lists, because the platform, the release and the cluster each give a part;
 * - a section may be null, which takes out what was given before;
 * - texts may hold `${NAME}`, which the agent takes from its environment;
 * - of several forms the one that is meant is told apart first, so that a message is about the mistake and not about forms
 *   that were never meant.
 */
export function chartConfigSchema(): Schema {
  const { $schema: _, title: __, ...schema } = configJsonSchema();
  const adapted = adapt(schema, false);
  // A values file is YAML 1.1, where the word off is false; the chart turns it back.
  const metrics = propertyOf(propertyOf(adapted, 'cluster'), 'metrics');
  metrics['type'] = ['string', 'boolean'];
  metrics['not'] = { const: true };
  return adapted;
}

function adapt(value: unknown, isInList: boolean): Record<string, unknown> {
  const { examples: _, required, oneOf, anyOf, ...kept } = value as Record<string, unknown>;
  const adapted: Record<string, unknown> = {};
  for (const [key, part] of Object.entries(kept)) {
    if (key === 'properties') {
      adapted[key] = Object.fromEntries(
        Object.entries(part as Schema).map(([name, property]) => [name, adapt(property, isInList)]),
      );
    } else if (key === 'items') adapted[key] = adapt(part, true);
    else if (key === 'additionalProperties' && typeof part === 'object') adapted[key] = adapt(part, isInList);
    else if (key === 'pattern') adapted[key] = namePattern(part as string, kept['title'] as string);
    else if (key !== 'propertyNames') adapted[key] = part;
  }
  if (!isInList && adapted['type'] === 'object') adapted['type'] = ['object', 'null'];
  // The agent looks closer; a scheme that was forgotten can be told here.
  const expects = String(kept['title']);
  if (adapted['type'] === 'string' && adapted['pattern'] === undefined && expects.startsWith('an http or https URL'))
    adapted['pattern'] = namePattern(expects.endsWith('or empty') ? '^(https?://.*)?$' : '^https?://', expects);
  if (isInList && required !== undefined) adapted['required'] = required;
  const forms = (oneOf ?? anyOf) as readonly Schema[] | undefined;
  return forms === undefined ? adapted : { ...adapted, ...chooseForm(forms, isInList) };
}

/**
 * The pattern is all that Helm shows of what it expected, so it carries that in words. Go's expressions repeat a thousand times
 * at most.
 */
function namePattern(pattern: string, expects: string): string {
  const repeatable = pattern.replaceAll(/\{(\d+),\d{4,}\}/g, '{$1,}');
  const words = expects.replaceAll(/[^A-Za-z0-9]+/g, '_').replace(/_$/, '');
  return String.raw`(?<must_be_${words}>${repeatable})|\$\{`;
}

/** Sections told apart by their type, or a section and a word. */
function chooseForm(forms: readonly Schema[], isInList: boolean): Schema {
  const types = forms.map((form) => (form['properties'] as Record<string, Schema> | undefined)?.['type']?.['const']);
  if (types.every((type) => type !== undefined)) {
    return {
      type: 'object',
      required: ['type'],
      properties: { type: { enum: types } },
      allOf: forms.map((form, index) => when({ properties: { type: { const: types[index] } } }, adapt(form, isInList))),
    };
  }
  const section = forms.find(({ type }) => type === 'object');
  const others = forms.filter((form) => form !== section).map((form) => adapt(form, isInList));
  if (section === undefined) return { anyOf: others };
  const [only, ...more] = others;
  return when({ type: 'object' }, adapt(section, isInList), more.length === 0 ? only : { anyOf: others });
}

function when(condition: Schema, consequence: Schema, otherwise?: Schema): Schema {
  const parts = otherwise === undefined ? [condition, consequence] : [condition, consequence, otherwise];
  return Object.fromEntries(parts.map((part, index) => [conditionKeywords[index] ?? '', part] as const));
}

/** By their place: an object that is written with a `then` looks as if it could be awaited. */
const conditionKeywords = ['if', 'then', 'else'];

function propertyOf(schema: Record<string, unknown>, name: string): Record<string, unknown> {
  const found = (schema['properties'] as Record<string, Record<string, unknown>> | undefined)?.[name];
  if (found === undefined) throw new Error(`the configuration has no option ${name}`);
  return found;
}
