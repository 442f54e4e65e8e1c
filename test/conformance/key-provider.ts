import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isWardenError } from '../../src/errors/warden-error.ts';
import type { KeyProvider } from '../../src/ports/key-provider.ts';
import { openSealed } from '../../src/snapshot/open.ts';
import { prepareSealing, seal } from '../../src/snapshot/seal.ts';
import { bytesOf, collect } from '../support/byte-streams.ts';
import { wardenError } from '../support/errors.ts';

export interface KeyProviderSubject extends AsyncDisposable {
  readonly seals: KeyProvider;
  readonly opens: KeyProvider;
  /** The same kind, and where a name is free to choose the same name, but another key. */
  readonly stranger: KeyProvider;
}

const plaintext = Buffer.from('registry/secrets/default/token');
const context = { cluster: 'prod', backup: '20261124T140000Z-r1-aaaaaaaa' };
const { signal } = new AbortController();

/** What every kind of key must do as a recipient of a sealed backup. */
export function describeKeyProviderConformance(name: string, makeSubject: () => Promise<KeyProviderSubject>): void {
  describe(`${name}, as a key provider`, () => {
    let subject: KeyProviderSubject;
    let message: Buffer;

    beforeAll(async () => {
      subject = await makeSubject();
      message = await sealWith(subject.seals);
    });
    afterAll(() => subject[Symbol.asyncDispose]());

    it('opens what it sealed', async () => {
      expect(await openWith(subject.opens, message)).toEqual(plaintext);
    });

    it('seals differently each time', async () => {
      const second = await sealWith(subject.seals);
      expect(second.subarray(-64)).not.toEqual(message.subarray(-64));
    });

    it('is named as a recipient, and its plaintext and key are not in the message', async () => {
      const prepared = await prepare(subject.seals);
      expect(prepared.recipients).toHaveLength(1);
      expect(prepared.recipients[0]?.kind).toBe(subject.seals.recipient.kind);
      expect(message.includes(plaintext)).toBe(false);
    });

    it('does not open what another key sealed', async () => {
      await expect(openWith(subject.stranger, message)).rejects.toEqual(wardenError('no-identity'));
    });

    it('leaves a message for others alone, so that the next key is asked', async () => {
      expect(await collect(open([subject.stranger, subject.opens], message))).toEqual(plaintext);
    });

    it('does not open under another context than the one it was sealed for', async () => {
      const other = { ...context, cluster: 'staging' };
      await expect(openWith(subject.opens, message, other)).rejects.toEqual(wardenError('context-mismatch'));
    });

    it('does not open a message whose context was altered in its header', async () => {
      const altered = Buffer.from(message);
      altered.write('stag', altered.indexOf('prod'));
      const asAltered = { ...context, cluster: 'stag' };
      await expect(openWith(subject.opens, altered, asAltered)).rejects.toSatisfy((error: unknown) =>
        isWardenError(error, 'no-identity', 'object-damaged'),
      );
    });

    it('stops when the run is stopped', async () => {
      const stopped = AbortSignal.abort(new Error('told to stop'));
      await expect(prepareSealing(sealing(subject.seals), stopped)).rejects.toThrow(/stop/);
    });
  });
}

const sealing = (provider: KeyProvider) =>
  ({ compression: { algorithm: 'none' }, encryption: { providers: [provider], context } }) as const;

const prepare = (provider: KeyProvider) => prepareSealing(sealing(provider), signal);

async function sealWith(provider: KeyProvider): Promise<Buffer> {
  await using sealed = seal(bytesOf(plaintext), await prepare(provider), signal);
  return await collect(sealed);
}

function open(
  providers: readonly KeyProvider[],
  message: Uint8Array,
  expected: Readonly<Record<string, string>> = context,
) {
  const sealedAs = {
    compression: 'none',
    encryption: { context: expected },
    limits: { maxPlaintextBytes: 1000 },
  } as const;
  return openSealed(bytesOf(message), sealedAs, providers, signal);
}

const openWith = (provider: KeyProvider, message: Uint8Array, expected = context): Promise<Buffer> =>
  collect(open([provider], message, expected));
