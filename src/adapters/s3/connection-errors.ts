import type { ErrorCode } from '../../errors/table.ts';
import { WardenError } from '../../errors/warden-error.ts';
import { type ConnectionFault, connectionFault } from '../aws/connection-fault.ts';
import type { S3Request } from './errors.ts';

const codes: Readonly<Record<ConnectionFault['kind'], ErrorCode>> = {
  credentials: 'store-credentials',
  tls: 'store-tls-failed',
  network: 'store-unreachable',
  time: 'store-timeout',
  region: 'store-wrong-region',
  other: 'store-failed',
};

/** A failure that came without any answer of the store. Its detail `mayHaveArrived` is false where nothing was sent. */
export function connectionError(thrown: unknown, request: S3Request, where: string): WardenError {
  const { kind, text, hint, mayHaveArrived } = connectionFault(thrown, request);
  return new WardenError(codes[kind], `${where}: ${text}`, {
    cause: thrown,
    details: { mayHaveArrived },
    ...(hint !== undefined && { hint }),
  });
}
