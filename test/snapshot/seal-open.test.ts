import { createHash, randomBytes } from 'node:crypto';
import { gzipSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAesKeyFileProvider } from '../../src/adapters/keys/aes-key-file.ts';
import { createRsaPrivateKeyProvider, createRsaPublicKeyProvider } from '../../src/adapters/keys/rsa-key-file.ts';
import { isWardenError } from '../../src/errors/warden-error.ts';
import type { KeyProvider } from '../../src/ports/key-provider.ts';
import { type ExpectedSealing, openSealed } from '../../src/snapshot/open.ts';
import { prepareSealing, seal, sealedSuffix, type Sealing, type SealingFacts } from '../../src/snapshot/seal.ts';
import { bytesOf, collect, cutInto } from '../support/byte-streams.ts';
import { wardenError } from '../support/errors.ts';
import { type KeyFiles, makeKeyFiles } from '../support/key-files.ts';

const { signal } = new AbortController();
const context = { cluster: 'prod', lineage: '14841639068965178418', backup: 'b1' };
const zstd = { algorithm: 'zstd', level: 1 } as const;
const none = { algorithm: 'none' } as const;

let files: KeyFiles;
let key: KeyProvider;
let recovery: { readonly seals: KeyProvider; readonly opens: KeyProvider };

beforeAll(async () => {
  files = await makeKeyFiles();
  key = createAesKeyFileProvider({ file: await files.writeAesKey('key'), name: 'main' });
  const pair = await files.writeRsaPair('recovery');
  recovery = {
    seals: createRsaPublicKeyProvider({ file: pair.publicFile, name: 'recovery' }),
    opens: createRsaPrivateKeyProvider({ file: pair.privateFile, name: 'recovery' }),
  };
});
afterAll(() => files[Symbol.asyncDispose]());

interface Sealed {
  readonly bytes: Buffer;
  readonly facts: SealingFacts;
  readonly expected: ExpectedSealing;
}

async function sealed(
  plaintext: Uint8Array,
  sealing: Sealing,
  sizes: readonly number[] = [32 * 1024],
): Promise<Sealed> {
  await using stream = seal(bytesOf(...cutInto(plaintext, sizes)), await prepareSealing(sealing, signal), signal);
  const bytes = await collect(stream);
  return {
    bytes,
    facts: stream.facts,
    expected: {
      compression: sealing.compression.algorithm,
      encryption: sealing.encryption === 'none' ? 'none' : { context: sealing.encryption.context },
      stored: { sizeBytes: stream.facts.sealedBytes, sha256: stream.facts.sealedSha256 },
      limits: { maxPlaintextBytes: plaintext.length },
    },
  };
}

const open = (
  bytes: Uint8Array,
  expected: ExpectedSealing,
  providers = [key],
  sizes: readonly number[] = [32 * 1024],
): Promise<Buffer> => collect(openSealed(bytesOf(...cutInto(bytes, sizes)), expected, providers, signal));

const withoutStored = ({ compression, encryption, limits }: ExpectedSealing): ExpectedSealing => ({
  compression,
  encryption,
  limits,
});

const forKey = (): Sealing['encryption'] => ({ providers: [key], context });
const everyWay: readonly (readonly [string, () => Sealing])[] = [
  ['.zst.enc', () => ({ compression: zstd, encryption: forKey() })],
  ['.enc', () => ({ compression: none, encryption: forKey() })],
  ['.zst', () => ({ compression: zstd, encryption: 'none' })],
  ['', () => ({ compression: none, encryption: 'none' })],
];

describe.each(everyWay)('a snapshot stored as snapshot.db%s', (suffix, sealing) => {
  it('says by its name which stages were applied', () => {
    expect(sealedSuffix(sealing())).toBe(suffix);
  });

  // field: F139
  it('comes back byte for byte, whatever its size and the borders of chunks', async () => {
    const content = randomBytes(3 * 1024 * 1024);
    const size = fc.oneof(
      fc.integer({ min: 1, max: 5000 }),
      fc.constantFrom(1024 * 1024 - 1, 1024 * 1024, 1024 * 1024 + 1, 2 * 1024 * 1024, content.length),
    );
    const cuts = fc.array(fc.integer({ min: 1000, max: 2_000_000 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(size, cuts, cuts, async (length, sealCuts, openCuts) => {
        const plaintext = content.subarray(0, length);
        const stored = await sealed(plaintext, sealing(), sealCuts);
        expect((await open(stored.bytes, stored.expected, [key], openCuts)).equals(plaintext)).toBe(true);
      }),
      { numRuns: 15 },
    );
  });

  it('is described by the sizes and hashes of what each stage made', async () => {
    const { bytes, facts } = await sealed(randomBytes(100_000), sealing());
    expect(facts.sealedBytes).toBe(bytes.length);
    expect(facts.sealedSha256).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(facts.compressedSha256 === facts.sealedSha256).toBe(!suffix.endsWith('.enc'));
  });

  it('is refused with any one byte altered', async () => {
    const stored = await sealed(Buffer.from('registry/pods/default/web'), sealing());
    for (let index = 0; index < stored.bytes.length; index += 1) {
      const altered = Buffer.from(stored.bytes);
      altered[index] = (altered[index] ?? 0) ^ 0x55;
      await expect(open(altered, stored.expected), `byte ${index}`).rejects.toSatisfy(isRefusal);
    }
  });

  it('is refused when it was cut off anywhere, or has one byte more', async () => {
    const stored = await sealed(Buffer.from('registry/pods/default/web'), sealing());
    for (let length = 0; length < stored.bytes.length; length += 1) {
      const outcome = open(stored.bytes.subarray(0, length), stored.expected);
      await expect(outcome, `cut to ${length}`).rejects.toSatisfy(isRefusal);
    }
    const longer = Buffer.concat([stored.bytes, Buffer.from([0])]);
    await expect(open(longer, stored.expected)).rejects.toEqual(wardenError('object-damaged', 'longer'));
  });

  it('is refused when it holds more than the manifest says', async () => {
    const stored = await sealed(randomBytes(5000), sealing());
    const smaller = { ...stored.expected, limits: { maxPlaintextBytes: 4999 } };
    await expect(open(stored.bytes, smaller)).rejects.toEqual(wardenError('object-damaged', '4999'));
  });

  it('can be opened without a manifest, by its own first bytes', async () => {
    const plaintext = randomBytes(5000);
    const stored = await sealed(plaintext, sealing());
    const encryption = suffix.endsWith('.enc') ? ({ context: 'unchecked' } as const) : 'none';
    const unknown = { compression: 'as-found', encryption, limits: stored.expected.limits } as const;
    expect(await open(stored.bytes, unknown)).toEqual(plaintext);
  });
});

/** Altered bytes can look like another format, another context or another recipient, but never like the snapshot. */
const isRefusal = (error: unknown): boolean =>
  isWardenError(error, 'object-damaged', 'format-mismatch', 'context-mismatch', 'no-identity');

describe('a sealed message', () => {
  it('is opened by any one of its recipients', async () => {
    const plaintext = randomBytes(1000);
    const stored = await sealed(plaintext, {
      compression: zstd,
      encryption: { providers: [key, recovery.seals], context },
    });
    expect(await open(stored.bytes, stored.expected, [key])).toEqual(plaintext);
    expect(await open(stored.bytes, stored.expected, [recovery.opens])).toEqual(plaintext);
  });

  it('names its recipients', async () => {
    const prepared = await prepareSealing(
      { compression: zstd, encryption: { providers: [recovery.seals, key], context } },
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
      const blocks = openSealed(bytesOf(altered), withoutStored(stored.expected), [key], signal);
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
      encryption: { providers: [key, recovery.seals], context },
    });
    const noKey = wardenError('no-identity', 'aes-key-file main', 'rsa-public-key recovery');
    await expect(open(stored.bytes, stored.expected, [])).rejects.toEqual(noKey);
    await expect(open(stored.bytes, stored.expected, [recovery.seals])).rejects.toEqual(noKey);
  });

  it('says why the key that is there could not be used', async () => {
    const stored = await sealed(randomBytes(10), { compression: none, encryption: forKey() });
    const broken = createAesKeyFileProvider({ file: await files.write('broken', 'short'), name: 'main' });
    await expect(open(stored.bytes, stored.expected, [broken])).rejects.toEqual(
      wardenError('key-file-invalid', 'exactly 32 bytes'),
    );
  });
});

describe('opening', () => {
  it.each(everyWay)(
    'what is stored as %s releases its source when the reader leaves early',
    async (_suffix, sealing) => {
      const stored = await sealed(randomBytes(3 * 1024 * 1024), sealing());
      let released = false;
      async function* source(): AsyncGenerator<Uint8Array, void> {
        try {
          yield* cutInto(stored.bytes, [32 * 1024]);
        } finally {
          released = true;
        }
      }
      for await (const block of openSealed(source(), stored.expected, [key], signal)) if (block.length > 0) break;
      expect(released).toBe(true);
    },
  );

  it.each(everyWay)(
    'what is stored as %s hands on an error of its source, and stops with the run',
    async (_suffix, sealing) => {
      const stored = await sealed(randomBytes(3 * 1024 * 1024), sealing());
      async function* failing(): AsyncGenerator<Uint8Array, void> {
        yield stored.bytes.subarray(0, 1_500_000);
        throw new Error('the store is gone');
      }
      await expect(collect(openSealed(failing(), stored.expected, [key], signal))).rejects.toThrow('the store is gone');
      const stopped = AbortSignal.abort(new Error('told to stop'));
      const opening = collect(openSealed(bytesOf(stored.bytes), stored.expected, [key], stopped));
      await expect(opening).rejects.toThrow('told to stop');
    },
  );
});

describe('formats that were not expected', () => {
  const plain = Buffer.concat([Buffer.alloc(16), Buffer.from('edda0ced', 'hex'), Buffer.alloc(4076)]);
  const limits = { maxPlaintextBytes: 100_000 };

  // field: F132
  it('are named: raw data under a compressed name', async () => {
    const error = wardenError('format-mismatch', 'expected zstd data, found a bolt database');
    await expect(open(plain, { compression: 'zstd', encryption: 'none', limits })).rejects.toEqual(error);
  });

  // field: F138
  it('are named: plain data where a sealed message should be', async () => {
    const error = wardenError('format-mismatch', 'expected an AWS Encryption SDK message, found a bolt database');
    await expect(open(plain, { compression: 'none', encryption: { context }, limits })).rejects.toEqual(error);
  });

  // field: F009
  it('are named: an archive where a plain snapshot should be', async () => {
    const error = wardenError('format-mismatch', 'gzip data');
    await expect(open(gzipSync(plain), { compression: 'none', encryption: 'none', limits })).rejects.toEqual(error);
    const asFound = { compression: 'as-found', encryption: 'none', limits } as const;
    await expect(open(gzipSync(plain), asFound)).rejects.toEqual(error);
  });
});

describe('sealing', () => {
  it('fails before it reads anything when a recipient has no usable key, and names it', async () => {
    const broken = createAesKeyFileProvider({ file: await files.write('empty', ''), name: 'broken' });
    const sealing = { compression: zstd, encryption: { providers: [key, broken], context } } as const;
    await expect(prepareSealing(sealing, signal)).rejects.toEqual(wardenError('key-file-invalid', 'empty'));
  });

  it('does not take a key that only opens', async () => {
    const sealing = { compression: zstd, encryption: { providers: [recovery.opens], context } } as const;
    await expect(prepareSealing(sealing, signal)).rejects.toEqual(
      wardenError('config-invalid', 'rsa-private-key recovery'),
    );
  });

  it.each(everyWay)(
    'stored as %s hands on an error of its source, and raises nothing besides',
    async (_suffix, sealing) => {
      async function* failing(): AsyncGenerator<Uint8Array, void> {
        yield randomBytes(2_000_000);
        throw new Error('the member is gone');
      }
      await using stream = seal(failing(), await prepareSealing(sealing(), signal), signal);
      await expect(collect(stream)).rejects.toThrow('the member is gone');
      expect(() => stream.facts).toThrow('not read to its end');
    },
  );

  it.each(everyWay)('stored as %s ends when the run is stopped', async (_suffix, sealing) => {
    const controller = new AbortController();
    async function* endless(): AsyncGenerator<Uint8Array, void> {
      for (;;) yield randomBytes(1024 * 1024);
    }
    const prepared = await prepareSealing(sealing(), signal);
    await using stream = seal(endless(), prepared, controller.signal);
    const reading = async (): Promise<void> => {
      let blocks = 0;
      for await (const block of stream) {
        blocks += block.length > 0 ? 1 : 0;
        if (blocks === 5) controller.abort(new Error('told to stop'));
      }
    };
    await expect(reading()).rejects.toThrow('told to stop');
  });

  it('releases its source when the reader leaves early', async () => {
    let released = false;
    async function* source(): AsyncGenerator<Uint8Array, void> {
      try {
        for (;;) yield randomBytes(1024 * 1024);
      } finally {
        released = true;
      }
    }
    const prepared = await prepareSealing({ compression: zstd, encryption: forKey() }, signal);
    await using stream = seal(source(), prepared, signal);
    for await (const block of stream) if (block.length > 0) break;
    expect(released).toBe(true);
  });
});

describe('without encryption', () => {
  it('a stored .zst is what any zstd tool reads', async () => {
    const plaintext = randomBytes(6 * 1024 * 1024);
    const stored = await sealed(plaintext, { compression: zstd, encryption: 'none' });
    expect(zstdDecompressSync(stored.bytes).equals(plaintext)).toBe(true);
  });

  it('a .zst that ends between two frames is found short by its stored length', async () => {
    const plaintext = randomBytes(6 * 1024 * 1024);
    const stored = await sealed(plaintext, { compression: zstd, encryption: 'none' });
    const secondFrame = stored.bytes.indexOf(Buffer.from('28b52ffd', 'hex'), 4 * 1024 * 1024);
    await expect(open(stored.bytes.subarray(0, secondFrame), stored.expected)).rejects.toEqual(
      wardenError('object-damaged', 'ends after'),
    );
  });
});
