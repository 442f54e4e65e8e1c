import { createHash, randomBytes } from 'node:crypto';
import { zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAesKeyFileProvider } from '../../src/adapters/keys/aes-key-file.ts';
import type { ExpectedSealing } from '../../src/snapshot/open.ts';
import { prepareSealing, seal, sealedSuffix, type Sealing } from '../../src/snapshot/seal.ts';
import { collect } from '../support/byte-streams.ts';
import { wardenError } from '../support/errors.ts';
import { context, everyWayWith, isRefusal, openWith, sealed, useSealingKeys, zstd } from '../support/sealing.ts';

const { signal } = new AbortController();
const keys = useSealingKeys();
const everyWay = everyWayWith(keys);
const forKey = (): Sealing['encryption'] => ({ providers: [keys.key], context });
const open = (
  bytes: Uint8Array,
  expected: ExpectedSealing,
  providers = [keys.key],
  sizes?: readonly number[],
): Promise<Buffer> => openWith(bytes, expected, providers, sizes);

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
        expect((await open(stored.bytes, stored.expected, [keys.key], openCuts)).equals(plaintext)).toBe(true);
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
describe('sealing', () => {
  it('fails before it reads anything when a recipient has no usable keys.key, and names it', async () => {
    const broken = createAesKeyFileProvider({ file: await keys.files.write('empty', ''), name: 'broken' });
    const sealing = { compression: zstd, encryption: { providers: [keys.key, broken], context } } as const;
    await expect(prepareSealing(sealing, signal)).rejects.toEqual(wardenError('key-file-invalid', 'empty'));
  });

  it('does not take a key that only opens', async () => {
    const sealing = { compression: zstd, encryption: { providers: [keys.recovery.opens], context } } as const;
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
