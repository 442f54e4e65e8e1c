import { createSecureContext } from 'node:tls';
import { expect, it } from 'vitest';
import { describeTlsFailure } from '../../../src/adapters/tls/describe-tls-failure.ts';

it.each([
  [
    'write EPROTO 4093E3F22A7F0000:error:0A00010B:SSL routines:tls_validate_record_header:wrong version number:../deps/openssl/openssl/ssl/record/methods/tlsany_meth.c:78:\n',
    'write EPROTO SSL routines: wrong version number',
  ],
  ['error:05800074:x509 certificate routines::key values mismatch', 'x509 certificate routines: key values mismatch'],
  [
    'unable to verify the first certificate; if the root CA is installed locally, try running Node.js with --use-system-ca',
    'unable to verify the first certificate',
  ],
  ['connect ECONNREFUSED 127.0.0.1:1', 'connect ECONNREFUSED 127.0.0.1:1'],
])('%j is told as %j', (message, told) => {
  expect(describeTlsFailure(new Error(message))).toBe(told);
});

it('tells what OpenSSL itself says in one line', () => {
  const failure = (): unknown => {
    try {
      return createSecureContext({ cert: 'no certificate' });
    } catch (error) {
      return error;
    }
  };
  expect(describeTlsFailure(failure())).toBe('PEM routines: no start line');
});
