import type { ErrorCode } from '../../errors/table.ts';
import { describeThrown, WardenError } from '../../errors/warden-error.ts';

/** The one place where errors of the file system become ours. `doing` completes "cannot …". */
export function toStoreError(thrown: unknown, doing: string): WardenError {
  if (thrown instanceof WardenError) return thrown;
  const code = codeOfSystemError.get(systemCode(thrown)) ?? 'store-failed';
  return new WardenError(code, `cannot ${doing}: ${describeThrown(thrown)}`, { cause: thrown });
}

/** Runs `work`; what it throws becomes a WardenError. */
export async function converted<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw toStoreError(thrown, doing);
  }
}

/** `ENOENT` and the like; empty for anything else. */
export function systemCode(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
}

const codeOfSystemError: ReadonlyMap<string, ErrorCode> = new Map<string, ErrorCode>([
  ['ENOSPC', 'store-full'],
  ['EDQUOT', 'store-full'],
  ['EFBIG', 'store-full'],
  ['EACCES', 'store-not-writable'],
  ['EPERM', 'store-not-writable'],
  ['EROFS', 'store-not-writable'],
  ['EISDIR', 'store-not-writable'],
  ['ENOTDIR', 'store-not-writable'],
  ['ELOOP', 'store-not-writable'],
  ['ENOENT', 'store-not-writable'],
  ['ENOTSUP', 'store-not-writable'],
  ['ENAMETOOLONG', 'store-refused'],
]);
