import { describeThrown } from '../../errors/warden-error.ts';

/** `error:0A00010B:SSL routines:function:wrong version number:../deps/openssl/…/tlsany_meth.c:78:`, with a thread id before it. */
const opensslEntry = /(?:[0-9A-F]+:)?error:[0-9A-F]{8}:([^:\n]*):[^:\n]*:([^:\n]*)[^\n]*/g;

/** Node's advice to its own users; ours can't pass it flags. */
const adviceOfNode = /; if the root CA is installed locally, try running Node\.js with --use-system-ca/;

/** What Node or OpenSSL says of a failure, as one line for operators: without source files, thread ids and advice for programmers. */
export function describeTlsFailure(thrown: unknown): string {
  return describeThrown(thrown)
    .replace(adviceOfNode, '')
    .replaceAll(opensslEntry, '$1: $2')
    .replaceAll(/\s+/g, ' ')
    .trim();
}
