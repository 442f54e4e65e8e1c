import type { HttpFault, SeenRequest } from './http-proxy.ts';

/** Answers of an S3 server that no real one can be brought to give, for a proxy in front of it. */

/** An error document instead of an answer. */
export const failure = (status: number, code: string): HttpFault => ({ kind: 'error', status, code });

/** An answer to HEAD, which has no body. */
export const head = (headers: Record<string, string>): HttpFault => ({ kind: 'error', status: 200, code: '', headers });

/** An answer to DeleteObjects. */
export const bulkAnswer = (...entries: string[]): HttpFault => ({
  kind: 'answer',
  status: 200,
  body: `<DeleteResult>${entries.join('')}</DeleteResult>`,
});

export const deleted = (key: string) => `<Deleted><Key>${key}</Key></Deleted>`;

export const refused = (key: string, code = 'AccessDenied', message = 'Access Denied') =>
  `<Error><Key>${key}</Key><Code>${code}</Code><Message>${message}</Message></Error>`;

/** Whether a request is this one about this object. */
export const about = (operation: string, key: string) => (seen: SeenRequest) =>
  seen.operation === operation && seen.url.pathname.endsWith(`/${key}`);
