import * as z from 'zod';
import { configSchema } from './schema.ts';

/** The configuration as JSON schema (draft-07, which Helm and most editors know). Durations and sizes are as written. */
export function configJsonSchema(): z.core.JSONSchema.BaseSchema {
  return {
    title: 'Configuration of etcd-warden',
    ...z.toJSONSchema(configSchema, {
      io: 'input',
      target: 'draft-7',
      override: ({ zodSchema, jsonSchema }) => {
        // zod leaves examples out where a schema transforms, because they could be of the output. Ours are as written.
        const examples = z.globalRegistry.get(zodSchema)?.examples;
        if (examples !== undefined) Object.assign(jsonSchema, { examples });
        // The greatest safe integer is a limit of JavaScript, not of any option.
        if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) Reflect.deleteProperty(jsonSchema, 'maximum');
      },
    }),
  };
}
