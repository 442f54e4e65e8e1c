import { type EncryptedDataKey, KeyringNode, type NodeDecryptionMaterial } from '@aws-crypto/material-management-node';
import { toWardenError, WardenError } from '../errors/warden-error.ts';
import type { KeyProvider } from '../ports/key-provider.ts';
import { describeRecipient, listRecipients, nameRecipient } from './message.ts';

export type EncryptionContext = Readonly<Record<string, string>>;

/**
 * Opens a message's data key with the first of our keys that can, so that an unreachable KMS does not keep a recovery key
 * from opening a backup. The SDK's MultiKeyring does the same but turns every reason into one text.
 *
 * The context is compared before any key is asked. It comes from the header, whose authentication follows with the
 * data key, so a match that was forged does not get far.
 */
export class IdentityKeyring extends KeyringNode {
  readonly #providers: readonly KeyProvider[];
  readonly #expected: EncryptionContext | 'unchecked';
  readonly #signal: AbortSignal;

  constructor(providers: readonly KeyProvider[], expected: EncryptionContext | 'unchecked', signal: AbortSignal) {
    super();
    this.#providers = providers;
    this.#expected = expected;
    this.#signal = signal;
  }

  override async _onDecrypt(
    material: NodeDecryptionMaterial,
    keys: EncryptedDataKey[],
  ): Promise<NodeDecryptionMaterial> {
    if (this.#expected !== 'unchecked') requireContext(material.encryptionContext, this.#expected);
    const failures: { readonly provider: KeyProvider; readonly error: WardenError }[] = [];
    for (const provider of this.#providers) {
      if (provider.opening === undefined) continue;
      try {
        const keyring = await provider.opening(this.#signal);
        await keyring.onDecrypt(material, keys);
        if (material.hasValidKey()) return material;
      } catch (error) {
        this.#signal.throwIfAborted();
        failures.push({ provider, error: toWardenError(error) });
      }
    }
    throw nothingOpened(this.#providers, failures, keys);
  }

  override _onEncrypt(): never {
    throw new WardenError('internal', 'identities open messages, they seal none');
  }
}

function requireContext(found: EncryptionContext, expected: EncryptionContext): void {
  const names = new Set([...Object.keys(found), ...Object.keys(expected)]);
  for (const name of names) {
    if (found[name] === expected[name]) continue;
    const say = (value: string | undefined): string => (value === undefined ? 'nothing' : JSON.stringify(value));
    throw new WardenError(
      'context-mismatch',
      `the object was sealed for ${name} ${say(found[name])}, expected ${say(expected[name])}`,
    );
  }
}

function nothingOpened(
  providers: readonly KeyProvider[],
  failures: readonly { readonly provider: KeyProvider; readonly error: WardenError }[],
  keys: readonly EncryptedDataKey[],
): WardenError {
  const sealedTo = `it is sealed to ${listRecipients(keys)}`;
  const [first] = failures;
  if (first === undefined) return noneFits(providers, keys, sealedTo);
  const reasons = failures.map(({ provider, error }) => `${describeRecipient(provider.recipient)}: ${error.message}`);
  // The failure that somebody can repair decides; a key that simply is not the right one says less.
  const decisive = failures.find(({ error }) => error.code !== 'no-identity') ?? first;
  return new WardenError(
    decisive.error.code,
    `no configured key opens the object; ${sealedTo}; ${reasons.join('; ')}`,
    { cause: decisive.error },
  );
}

/** No key failed and none opened: either none has the right name, or one has it and is another key. */
function noneFits(providers: readonly KeyProvider[], keys: readonly EncryptedDataKey[], sealedTo: string): WardenError {
  const configured = providers.filter(({ opening }) => opening !== undefined).map(({ recipient }) => recipient);
  const names = new Set(keys.map((key) => nameRecipient(key)?.name));
  const [namesake] = configured.filter(({ name }) => names.has(name));
  if (namesake !== undefined) {
    const message = `${describeRecipient(namesake)} is configured, but it is another key than the one of that name that the object is sealed to`;
    return new WardenError('no-identity', message, {
      hint: 'Put the key file back that was in use when the backup was taken.',
    });
  }
  const known =
    configured.length === 0 ? 'none is configured' : `configured: ${configured.map(describeRecipient).join(', ')}`;
  return new WardenError('no-identity', `no configured key opens the object; ${sealedTo}; ${known}`);
}
