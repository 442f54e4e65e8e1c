import { createRequire } from 'node:module';
import * as z from 'zod';

/** Beside src/ in development and beside dist/ when shipped. */
const description: unknown = createRequire(import.meta.url)('../package.json');

/** The version of this build. */
export const toolVersion = z.object({ version: z.string() }).parse(description).version;
