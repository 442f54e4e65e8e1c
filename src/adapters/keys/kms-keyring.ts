import {
  type EncryptedDataKey,
  KeyringNode,
  type NodeDecryptionMaterial,
  type NodeEncryptionMaterial,
} from '@aws-crypto/material-management-node';
import type { DecryptCommandInput, EncryptCommandInput, GenerateDataKeyCommandInput, KMS } from '@aws-sdk/client-kms';
import { WardenError } from '../../errors/warden-error.ts';
import type { Destination } from '../aws/connection-fault.ts';
import { interruptionOf } from '../store-layers/interruption.ts';
import { convertKmsError, type KmsOperation } from './errors.ts';

/** All attempts at a call together: the SDK's own limits do not cover the search for credentials. */
const callLimitMs = 10_000;

/** The three calls that the Encryption SDK makes, each with a limit and the run's signal, and with errors of ours. */
export class KmsCalls {
  /** Why the last call failed; the Encryption SDK keeps only its text. */
  failure: WardenError | undefined;
  /** Where the SDK's keyrings look for it. */
  readonly config: { readonly region: string };
  readonly #kms: KMS;
  readonly #keyArn: string;
  readonly #destination: Destination;
  readonly #signal: AbortSignal;

  constructor(kms: KMS, keyArn: string, region: string, destination: Destination, signal: AbortSignal) {
    this.config = { region };
    this.#kms = kms;
    this.#keyArn = keyArn;
    this.#destination = destination;
    this.#signal = signal;
  }

  async generateDataKey(input: GenerateDataKeyCommandInput) {
    const { KeyId, Plaintext, CiphertextBlob } = await this.#call('GenerateDataKey', (abortSignal) =>
      this.#kms.generateDataKey(input, { abortSignal }),
    );
    return this.#requireAll({ KeyId, Plaintext, CiphertextBlob });
  }

  async encrypt(input: EncryptCommandInput) {
    const { KeyId, CiphertextBlob } = await this.#call('Encrypt', (abortSignal) =>
      this.#kms.encrypt(input, { abortSignal }),
    );
    return this.#requireAll({ KeyId, CiphertextBlob });
  }

  async decrypt(input: DecryptCommandInput) {
    const { KeyId, Plaintext } = await this.#call('Decrypt', (abortSignal) =>
      this.#kms.decrypt(input, { abortSignal }),
    );
    return this.#requireAll({ KeyId, Plaintext });
  }

  async #call<Answer>(operation: KmsOperation, send: (signal: AbortSignal) => Promise<Answer>): Promise<Answer> {
    const limit = AbortSignal.any([this.#signal, AbortSignal.timeout(callLimitMs)]);
    try {
      return await Promise.race([send(limit), rejectOnAbort(limit)]);
    } catch (error) {
      this.failure = this.#signal.aborted
        ? interruptionOf(this.#signal)
        : convertKmsError(error, operation, this.#keyArn, this.#destination);
      throw this.failure;
    }
  }

  #requireAll<Answer extends object>(answer: Answer): { [Field in keyof Answer]-?: NonNullable<Answer[Field]> } {
    const missing = Object.entries(answer).find(([, value]) => value === undefined)?.[0];
    if (missing !== undefined) {
      this.failure = new WardenError(
        'key-unreachable',
        `what answered for ${this.#keyArn} is no KMS: ${missing} is missing`,
      );
      throw this.failure;
    }
    return answer as { [Field in keyof Answer]-?: NonNullable<Answer[Field]> };
  }
}

/** The SDK does not look at the signal while it looks for credentials. */
function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** One of the SDK's KMS keyrings, with the two things put right that it does on opening. */
export class KmsKeyring extends KeyringNode {
  readonly #inner: KeyringNode;
  readonly #calls: KmsCalls;

  constructor(inner: KeyringNode, calls: KmsCalls) {
    super();
    this.#inner = inner;
    this.#calls = calls;
  }

  override _onEncrypt(material: NodeEncryptionMaterial): Promise<NodeEncryptionMaterial> {
    return this.#inner._onEncrypt(material);
  }

  /** It throws where no call was made because the message is not for this key, and makes one text of the errors of calls. */
  override async _onDecrypt(
    material: NodeDecryptionMaterial,
    keys: EncryptedDataKey[],
  ): Promise<NodeDecryptionMaterial> {
    try {
      return await this.#inner._onDecrypt(material, keys);
    } catch {
      if (this.#calls.failure !== undefined) throw this.#calls.failure;
      return material;
    }
  }
}
