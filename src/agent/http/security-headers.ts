import { createHash } from 'node:crypto';
import { pageStyle } from './page/style.ts';

/** The one style of the page, by its hash: nothing else is loaded or run, whatever text ends up in the page. */
const styleHash = createHash('sha256').update(pageStyle).digest('base64');

/** On every answer: a text of others is never taken for something to run, kept, or framed. */
export const securityHeaders: Readonly<Record<string, string>> = {
  'Content-Security-Policy': [
    "default-src 'none'",
    `style-src 'sha256-${styleHash}'`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  // What is shown is true now; an old page must not reassure anybody.
  'Cache-Control': 'no-store',
};
