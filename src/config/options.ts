import type * as z from 'zod';
import { configJsonSchema } from './json-schema.ts';

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** An option as the example, the reference and messages speak of it. */
export interface Option {
  readonly key: string;
  /** `repositories[].store.bucket` */
  readonly path: string;
  /** In words: `a duration such as 30s, 15m or 7d`. Empty for sections. */
  readonly expects: string;
  readonly reason: string;
  readonly isRequired: boolean;
  readonly isList: boolean;
  /** As an operator would write it; undefined where there is none. */
  readonly defaultValue: unknown;
  readonly example: unknown;
  /** What a section, or each item of a list of sections, can hold. None for a plain value. */
  readonly variants: readonly Variant[];
}

/** The options of a section. Sections that have a `type` come in several variants. */
export interface Variant {
  readonly type: string | undefined;
  readonly options: readonly Option[];
}

/** Made once, when first asked for: a run whose configuration is valid never needs it. */
let described: readonly Option[] | undefined;

/** Every option, as a tree in the order of the schema. */
export function describeOptions(): readonly Option[] {
  described ??= describeVariants(configJsonSchema(), '').flatMap(({ options }) => options);
  return described;
}

/** An option and all below it. */
export function flattenOption(option: Option): readonly Option[] {
  return [option, ...option.variants.flatMap(({ options }) => options).flatMap(flattenOption)];
}

/** The variant that data with this `type` is meant to be; the first where the type says nothing. */
export function chooseVariant(option: Option, type: unknown): Variant | undefined {
  return option.variants.find((variant) => variant.type === type) ?? option.variants[0];
}

function describeVariants(schema: JsonSchema, path: string): readonly Variant[] {
  const branches = schema.anyOf ?? schema.oneOf;
  if (branches !== undefined) return branches.flatMap((branch) => describeVariants(asSchema(branch), path));
  if (schema.items !== undefined && !Array.isArray(schema.items)) {
    return describeVariants(asSchema(schema.items), `${path}[]`);
  }
  if (schema.properties === undefined) return [];
  const required = schema.required ?? [];
  const options = Object.entries(schema.properties).map(([key, child]) =>
    describeOption(key, path === '' ? key : `${path}.${key}`, asSchema(child), required.includes(key)),
  );
  const type = asSchema(schema.properties['type'] ?? {}).const;
  return [{ type: typeof type === 'string' ? type : undefined, options }];
}

function describeOption(key: string, path: string, schema: JsonSchema, isRequired: boolean): Option {
  return {
    key,
    path,
    expects: schema.title ?? (schema.const === undefined ? '' : String(schema.const)),
    reason: schema.description ?? '',
    isRequired,
    isList: schema.type === 'array',
    defaultValue: schema.default,
    example: (Array.isArray(schema.examples) ? schema.examples[0] : undefined) ?? schema.const,
    variants: describeVariants(schema, path),
  };
}

/** A schema may also be `true` or `false`, which says nothing about options. */
function asSchema(schema: JsonSchema | boolean): JsonSchema {
  return typeof schema === 'boolean' ? {} : schema;
}
