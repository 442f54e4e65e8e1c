import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { isWardenError } from '../../src/errors/warden-error.ts';
import { wardenError } from '../support/errors.ts';
import { minimalConfig } from './minimal-config.ts';

describe('loading a configuration file', () => {
  let folder: string;
  let file: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'etcd-warden-config-'));
    file = join(folder, 'config.yaml');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('gives the configuration and says where it came from', async () => {
    await writeFile(file, `${minimalConfig}schedules: {backup: {}}\n`);
    const config = await loadConfig(file, {});
    expect(config.cluster.name).toBe('prod');
    expect(config.source).toEqual({
      fileName: file,
      sections: [
        'cluster',
        'encryption',
        'repositories',
        'schedules',
        'cluster.name',
        'cluster.endpoints',
        'schedules.backup',
      ],
    });
  });

  it('lists every error at once, in the order of the file, each with file, line and column', async () => {
    await writeFile(file, minimalConfig.replace('prod', 'Prod').replace('none', 'some').replace('/var', 'var'));
    const error: unknown = await loadConfig(file, {}).catch((reason: unknown) => reason);
    const lines = [
      `${file}:2:9: cluster.name must be 1 to 40 lower-case letters, digits or hyphens, got "Prod"`,
      `${file}:4:13: encryption must be said: a section with recipients seals every backup, the word none stores the keyspace in the clear, got "some"`,
      `${file}:7:36: repositories[0].store.path must be an absolute path, got "var/backups/etcd"`,
    ];
    expect(error).toMatchObject({ code: 'config-invalid', message: lines.join('\n'), details: { errors: lines } });
    expect(isWardenError(error) && error.exitStatus).toBe(2);
  });

  it('says so if there is no such file', async () => {
    await expect(loadConfig(file, {})).rejects.toEqual(wardenError('config-not-found', `${file} does not exist`));
  });

  it('says so if it is a directory', async () => {
    await mkdir(file);
    await expect(loadConfig(file, {})).rejects.toEqual(wardenError('config-not-found', `${file} is a directory`));
  });

  it('reads no more of a huge file than it needs to refuse it', async () => {
    await expect(loadConfig('/dev/zero', {})).rejects.toEqual(
      wardenError('config-not-found', '/dev/zero is larger than 1048576 bytes'),
    );
  });

  it('refuses bytes that are not UTF-8', async () => {
    await writeFile(file, Buffer.from([0x61, 0x3a, 0x20, 0xff, 0xfe]));
    await expect(loadConfig(file, {})).rejects.toEqual(wardenError('config-invalid', 'not UTF-8'));
  });
});
