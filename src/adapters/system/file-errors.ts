import { lstat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describeThrown, WardenError } from '../../errors/warden-error.ts';

const meanings: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  ENOSPC: 'no space left',
  ENOTDIR: 'a part of the path is no folder',
  EROFS: 'the file system is read-only',
};

/** A failed call to the operating system, for a file that the operator named. */
export function fileFailed(path: string, verb: string, cause: unknown): WardenError {
  const code = systemCode(cause) ?? describeThrown(cause);
  const details = { path, code };
  if (code === 'EISDIR' && verb === 'read') {
    const hint = 'Give a snapshot object inside the folder.';
    return new WardenError('file-failed', `${path} is a folder; give the snapshot object inside it`, {
      details,
      cause,
      hint,
    });
  }
  const meaning = meanings[code] === undefined ? code : `${meanings[code]} (${code})`;
  return new WardenError('file-failed', `cannot ${verb} ${path}: ${meaning}`, { details, cause });
}

/** Where a file could not be created because of its folder, that is what to look at; undefined where it was not. */
export async function folderFailed(path: string, cause: unknown): Promise<WardenError | undefined> {
  const folder = dirname(path);
  const code = systemCode(cause);
  const context = { cause, details: { path, code: code ?? '' } };
  if (code === 'ENOENT' && (await isMissing(folder))) {
    const message = `cannot create ${path}: the folder ${folder} does not exist; make it first`;
    return new WardenError('file-failed', message, { ...context, hint: 'Make the folder first, or correct the path.' });
  }
  if (code !== 'EACCES') return undefined;
  const message = `cannot create ${path}: the user that runs etcd-warden may not write in the folder ${folder}`;
  return new WardenError('file-failed', message, {
    ...context,
    hint: 'Choose another folder, or let that user write there.',
  });
}

export function systemCode(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : undefined;
}

async function isMissing(folder: string): Promise<boolean> {
  return lstat(folder).then(
    () => false,
    () => true,
  );
}
