import { createRequire } from 'node:module';

/** Beside src/ in development and beside dist/ when shipped. */
const { version } = createRequire(import.meta.url)('../package.json') as { readonly version: string };

/** The version of this build. */
export const toolVersion = version;
