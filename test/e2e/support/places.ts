import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { makeKeyFiles } from '../../support/key-files.ts';
import { type Credentials, type S3Server } from '../../support/s3.ts';
import { makeTempFolder, writeConfig } from './warden.ts';

/** Where a test's backups go: a bucket and a folder of its own, and a key that opens what lies there. */
export interface Places extends AsyncDisposable {
  /** For files of the test itself: configurations, restored snapshots. */
  readonly folder: string;
  /** The folder of the repository `local`. */
  readonly directory: string;
  /** The bucket of the repository `cloud`. */
  readonly bucket: string;
  /** A configuration with both repositories, sealed to a key file, unless `sections` says otherwise. */
  configure(sections: object): Promise<string>;
  /** Everything that lies in the two stores: objects, open uploads, files and folders. */
  contents(): Promise<string[]>;
}

export async function makePlaces(s3: S3Server, s3Endpoint = s3.endpoint): Promise<Places> {
  const folder = await makeTempFolder();
  const keys = await makeKeyFiles();
  const aesKey = await keys.writeAesKey('site');
  const directory = join(folder.path, 'repository');
  await mkdir(directory);
  const bucket = await s3.makeBucket();
  let configurations = 0;
  return {
    folder: folder.path,
    directory,
    bucket,
    configure: async (sections) => {
      const home = join(folder.path, `configuration-${++configurations}`);
      await mkdir(home);
      return writeConfig(home, {
        encryption: { recipients: [{ type: 'aes-key-file', file: aesKey, name: 'site' }] },
        repositories: [cloudRepository(s3Endpoint, bucket), localRepository(directory)],
        ...sections,
      });
    },
    contents: async () => [
      ...(await s3.objectNames(bucket)).map((name) => `object ${name}`),
      ...(await s3.openUploads(bucket)).map((name) => `upload ${name}`),
      ...(await readdir(directory, { recursive: true })).map((name) => `file ${name}`),
    ],
    [Symbol.asyncDispose]: async () => {
      await folder[Symbol.asyncDispose]();
      await keys[Symbol.asyncDispose]();
    },
  };
}

export function cloudRepository(endpoint: string, bucket: string, store: object = {}): object {
  return {
    name: 'cloud',
    store: { type: 's3', bucket, endpoint, region: 'us-east-1', forcePathStyle: true, ...store },
  };
}

export function localRepository(path: string): object {
  return { name: 'local', store: { type: 'directory', path } };
}

/** How the AWS SDK finds credentials in the environment of the process. */
export function awsEnvironment({ accessKeyId, secretAccessKey }: Credentials): Record<string, string> {
  return { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_EC2_METADATA_DISABLED: 'true' };
}
