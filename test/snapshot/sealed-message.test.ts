import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createAesKeyFileProvider } from '../../src/adapters/keys/aes-key-file.ts';
import { type ExpectedSealing, openSealed } from '../../src/snapshot/open.ts';
import { prepareSealing, type Sealing } from '../../src/snapshot/seal.ts';
import { bytesOf } from '../support/byte-streams.ts';
import { wardenError } from '../support/errors.ts';
import { context, isRefusal, none, openWith, sealed, useSealingKeys, withoutStored, zstd } from '../support/sealing.ts';

const { signal } = new AbortController();
const keys = useSealingKeys();
const forKey = (): Sealing['encryption'] => ({ providers: [keys.key], context });
const open = (
  bytes: Uint8Array,
  expected: ExpectedSealing,
  providers = [keys.key],
  sizes?: readonly number[],
): Promise<Buffer> => openWith(bytes, expected, providers, sizes);

describe('a sealed message', () => {
  it('is opened by any one of its recipients', async () => {
    const plaintext = randomBytes(1000);
    const stored = await sealed(plaintext, {
      compression: zstd,
      encryption: { providers: [keys.key, keys.recovery.seals], context },
    });
    expect(await open(stored.bytes, stored.expected, [keys.key])).toEqual(plaintext);
    expect(await open(stored.bytes, stored.expected, [keys.recovery.opens])).toEqual(plaintext);
  });

  it('names its recipients', async () => {
    const prepared = await prepareSealing(
      { compression: zstd, encryption: { providers: [keys.recovery.seals, keys.key], context } },
      signal,
    );
    expect(prepared.recipients).toEqual([
      { kind: 'rsa-public-key', name: 'recovery' },
      { kind: 'aes-key-file', name: 'main' },
    ]);
  });

  it('is found damaged by itself wherever a byte of its body is altered, without a hash to compare', async () => {
    const stored = await sealed(randomBytes(300), { compression: none, encryption: forKey() });
    const body = stored.bytes.length - 300 - 40;
    for (let index = body; index < stored.bytes.length; index += 1) {
      const altered = Buffer.from(stored.bytes);
      altered[index] = (altered[index] ?? 0) ^ 1;
      await expect(open(altered, withoutStored(stored.expected)), `byte ${index}`).rejects.toEqual(
        wardenError('object-damaged'),
      );
    }
  });

  it('is found damaged by itself when it was cut off anywhere or has bytes more, without a length to compare', async () => {
    const stored = await sealed(randomBytes(300), { compression: none, encryption: forKey() });
    const alone = withoutStored(stored.expected);
    for (let length = 1; length < stored.bytes.length; length += 1) {
      const outcome = open(stored.bytes.subarray(0, length), alone);
      await expect(outcome, `cut to ${length}`).rejects.toSatisfy(isRefusal);
    }
    for (const more of [1, 100, 3_000_000]) {
      const longer = Buffer.concat([stored.bytes, Buffer.alloc(more)]);
      await expect(open(longer, alone)).rejects.toEqual(wardenError('object-damaged', 'bytes follow'));
    }
  });

  it('is not read when its frames are larger than what is held in memory', async () => {
    const stored = await sealed(randomBytes(300), { compression: none, encryption: forKey() });
    const altered = Buffer.from(stored.bytes);
    altered.writeUInt32BE(0x7fffffff, stored.bytes.length - 300 - 40 - 16 - 32 - 4);
    const alone = withoutStored(stored.expected);
    await expect(open(altered, alone)).rejects.toEqual(wardenError('object-damaged', 'frames of 2147483647 bytes'));
  });

  it('yields nothing of a frame that was altered', async () => {
    const plaintext = randomBytes(3 * 1024 * 1024);
    const stored = await sealed(plaintext, { compression: none, encryption: forKey() });
    const altered = Buffer.from(stored.bytes);
    altered[2_500_000] = (altered[2_500_000] ?? 0) ^ 1;
    const opened: Uint8Array[] = [];
    const reading = async (): Promise<void> => {
      const blocks = openSealed(bytesOf(altered), withoutStored(stored.expected), [keys.key], signal);
      for await (const block of blocks) opened.push(block);
    };
    await expect(reading()).rejects.toEqual(wardenError('object-damaged'));
    const prefix = Buffer.concat(opened);
    expect(prefix.length).toBeLessThanOrEqual(2 * 1024 * 1024);
    expect(prefix.equals(plaintext.subarray(0, prefix.length))).toBe(true);
  });

  it('says what it was sealed for when that is not what was expected', async () => {
    const stored = await sealed(randomBytes(10), { compression: none, encryption: forKey() });
    const other = { ...stored.expected, encryption: { context: { ...context, backup: 'b2' } } };
    await expect(open(stored.bytes, other)).rejects.toEqual(wardenError('context-mismatch', 'backup "b1"', '"b2"'));
    const more = { ...stored.expected, encryption: { context: { ...context, tenant: 'a' } } };
    await expect(open(stored.bytes, more)).rejects.toEqual(wardenError('context-mismatch', 'tenant nothing'));
  });

  it('lists whom it is sealed to when there is no key for it', async () => {
    const stored = await sealed(randomBytes(10), {
      compression: none,
      encryption: { providers: [keys.key, keys.recovery.seals], context },
    });
    const noKey = wardenError('no-identity', 'aes-key-file main', 'rsa-public-key recovery');
    await expect(open(stored.bytes, stored.expected, [])).rejects.toEqual(noKey);
    await expect(open(stored.bytes, stored.expected, [keys.recovery.seals])).rejects.toEqual(noKey);
  });

  it('says why the key that is there could not be used', async () => {
    const stored = await sealed(randomBytes(10), { compression: none, encryption: forKey() });
    const broken = createAesKeyFileProvider({ file: await keys.files.write('broken', 'short'), name: 'main' });
    await expect(open(stored.bytes, stored.expected, [broken])).rejects.toEqual(
      wardenError('key-file-invalid', 'exactly 32 bytes'),
    );
  });
});
