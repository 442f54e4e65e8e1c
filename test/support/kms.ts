import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  KMSClient,
  ScheduleKeyDeletionCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-kms';
import { freePorts, type ServerProcess, startServer } from './process.ts';
import { serverBinary } from './toolchain.ts';

export const testCredentials = { accessKeyId: 'test', secretAccessKey: 'test' };

/** One fault of kmsd; `times` 0 or absent is for ever. */
export interface KmsFault {
  readonly action: 'GenerateDataKey' | 'Encrypt' | 'Decrypt' | '*';
  readonly code?: string;
  readonly status?: number;
  readonly delayMs?: number;
  readonly times?: number;
}

/** A KMS on loopback, made by kmsd. */
export interface TestKms extends AsyncDisposable {
  readonly endpoint: string;
  readonly process: ServerProcess;
  /** Resolves with the ARN of a new symmetric key. */
  createKey(): Promise<string>;
  /** Resolves with the ARN of the alias. */
  createAlias(name: string, keyArn: string): Promise<string>;
  pointAlias(name: string, keyArn: string): Promise<void>;
  disable(keyArn: string): Promise<void>;
  enable(keyArn: string): Promise<void>;
  scheduleDeletion(keyArn: string): Promise<void>;
  /** Replaces all faults; none clears them. */
  inject(...faults: readonly KmsFault[]): Promise<void>;
}

export async function startKms(region = 'us-east-1'): Promise<TestKms> {
  const dir = await mkdtemp(join(tmpdir(), 'etcd-warden-kms-'));
  const [port] = await freePorts(1);
  const endpoint = `http://127.0.0.1:${port}`;
  const server = await startServer(
    serverBinary('kmsd'),
    ['-addr', `127.0.0.1:${port}`, '-data', join(dir, 'data'), '-region', region],
    async () => (await fetch(`${endpoint}/_faults`, { method: 'PUT', body: '[]' })).ok,
  );
  const client = new KMSClient({ region, endpoint, credentials: testCredentials });
  return {
    endpoint,
    process: server,
    async createKey() {
      const { KeyMetadata } = await client.send(new CreateKeyCommand({}));
      return KeyMetadata?.Arn ?? '';
    },
    async createAlias(name, keyArn) {
      await client.send(new CreateAliasCommand({ AliasName: `alias/${name}`, TargetKeyId: keyArn }));
      return keyArn.replace(/key\/.*/, `alias/${name}`);
    },
    async pointAlias(name, keyArn) {
      await client.send(new UpdateAliasCommand({ AliasName: `alias/${name}`, TargetKeyId: keyArn }));
    },
    async disable(keyArn) {
      await client.send(new DisableKeyCommand({ KeyId: keyArn }));
    },
    async enable(keyArn) {
      await client.send(new EnableKeyCommand({ KeyId: keyArn }));
    },
    async scheduleDeletion(keyArn) {
      await client.send(new ScheduleKeyDeletionCommand({ KeyId: keyArn, PendingWindowInDays: 7 }));
    },
    async inject(...faults) {
      await fetch(`${endpoint}/_faults`, { method: 'PUT', body: JSON.stringify(faults) });
    },
    async [Symbol.asyncDispose]() {
      client.destroy();
      await server[Symbol.asyncDispose]();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
