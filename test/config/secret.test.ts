import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readSecretFile } from '../../src/config/secret.ts';
import { wardenError } from '../support/errors.ts';

describe('a secret file', () => {
  let folder: string;
  let file: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'etcd-warden-secret-'));
    file = join(folder, 'password');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it.each([
    ['s3cret', 's3cret'],
    ['s3cret\n', 's3cret'],
    ['s3cret\r\n', 's3cret'],
    ['s3cret\n\n', 's3cret\n'],
    [' s3cret ', ' s3cret '],
    ['grüße', 'grüße'],
  ])('with %j holds %j: one line break at the end is not part of it', async (content, secret) => {
    await writeFile(file, content);
    await expect(readSecretFile(file, 'cluster.auth.passwordFile')).resolves.toBe(secret);
  });

  it('may be a symbolic link, as Kubernetes makes them', async () => {
    await writeFile(join(folder, 'target'), 's3cret');
    await symlink('target', file);
    await expect(readSecretFile(file, 'x')).resolves.toBe('s3cret');
  });

  it('is named with its option if it is missing', async () => {
    const error = wardenError('secret-unreadable', 'cluster.auth.passwordFile', file, 'does not exist');
    await expect(readSecretFile(file, 'cluster.auth.passwordFile')).rejects.toEqual(error);
  });

  it.runIf(process.getuid?.() !== 0)('is named if this user may not read it', async () => {
    await writeFile(file, 's3cret');
    await chmod(file, 0);
    await expect(readSecretFile(file, 'x')).rejects.toEqual(wardenError('secret-unreadable', 'may not be read'));
  });

  it.each([
    ['is empty', Buffer.from('\n')],
    ['is not UTF-8 text', Buffer.from([0x73, 0xff])],
    ['is larger than 65536 bytes', Buffer.alloc(65_537, 's')],
  ])('is refused if it %s', async (reason, content) => {
    await writeFile(file, content);
    await expect(readSecretFile(file, 'x')).rejects.toEqual(wardenError('secret-unreadable', reason));
  });

  it('never shows its content in an error', async () => {
    await writeFile(file, Buffer.concat([Buffer.from('hunter2'), Buffer.from([0xff])]));
    const error: unknown = await readSecretFile(file, 'x').catch((reason: unknown) => reason);
    expect(inspect(error, { depth: null })).not.toContain('hunter2');
  });
});
