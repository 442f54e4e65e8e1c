import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { WardenError } from '../../errors/warden-error.ts';

/** File systems take names of 255 bytes; a temporary name adds some twenty to the object's own. */
const maxPartBytes = 200;

/** As S3: a repository can be copied from one kind of store to the other. */
const maxKeyBytes = 1024;

/** Where an object lies below the root. */
export interface ObjectPath {
  readonly key: string;
  /** The folders from the root down, by name. */
  readonly folders: readonly string[];
  readonly fileName: string;
  /** Of the folder that holds the file. */
  readonly folderPath: string;
  readonly filePath: string;
}

/** Refuses every key that could leave the root, be hidden, or read differently on another file system. */
export function objectPath(root: string, key: string): ObjectPath {
  const parts = key.split('/');
  const fileName = parts.at(-1);
  if (fileName === undefined || !isKey(key)) {
    throw new WardenError(
      'store-refused',
      `An object key is parts of 1 to ${maxPartBytes} bytes between slashes, none beginning with a dot, ${maxKeyBytes} bytes in all; found ${JSON.stringify(key)}.`,
    );
  }
  const folders = parts.slice(0, -1);
  const folderPath = join(root, ...folders);
  return { key, folders, fileName, folderPath, filePath: join(folderPath, fileName) };
}

/** Whether an object can be stored under `key`. */
export function isKey(key: string): boolean {
  return Buffer.byteLength(key) <= maxKeyBytes && key.split('/').every(isKeyPart);
}

/** Whether a name in a folder can be part of a key. What can't is a stranger's or a temporary file. */
export function isKeyPart(name: string): boolean {
  const isReadable = name.isWellFormed() && !name.includes('\uFFFD') && !name.includes('\0') && !name.includes('/');
  return name !== '' && !name.startsWith('.') && isReadable && Buffer.byteLength(name) <= maxPartBytes;
}

/** Hidden, so that no listing shows it, and in the same folder, so that a link can give it its final name. */
export function temporaryName(fileName: string): string {
  return `.${fileName}.part-${randomBytes(6).toString('hex')}`;
}

/** The name of the object that a temporary file is for; undefined for every name that `temporaryName` cannot have given. */
export function fileNameOfTemporary(name: string): string | undefined {
  const fileName = /^\.(.+)\.part-[0-9a-f]{12}$/s.exec(name)?.[1];
  return fileName !== undefined && isKeyPart(fileName) ? fileName : undefined;
}
