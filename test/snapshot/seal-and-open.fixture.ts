/**
 * Seals so many MiB of incompressible bytes and opens them in the same breath, with a reader that dawdles, and prints the
 * highest memory of the process in MiB. Arguments: key file, MiB.
 */
import { randomBytes } from 'node:crypto';
import { createAesKeyFileProvider } from '../../src/adapters/keys/aes-key-file.ts';
import { openSealed } from '../../src/snapshot/open.ts';
import { prepareSealing, seal } from '../../src/snapshot/seal.ts';

const [, , keyFile = '', sizeMiB = '0'] = process.argv;
const key = createAesKeyFileProvider({ file: keyFile, name: 'main' });
const { signal } = new AbortController();
const context = { cluster: 'prod' };

async function* source(): AsyncGenerator<Uint8Array, void> {
  const block = randomBytes(1024 * 1024); // It returns too late for zstd's window to recognise it.
  for (let done = 0; done < Number(sizeMiB); done += 1) yield block;
}

const sealing = { compression: { algorithm: 'zstd', level: 1 }, encryption: { providers: [key], context } } as const;
await using sealed = seal(source(), await prepareSealing(sealing, signal), signal);
const limits = { maxPlaintextBytes: Number.MAX_SAFE_INTEGER };
let openedBytes = 0;
for await (const block of openSealed(sealed, { compression: 'zstd', encryption: { context }, limits }, [key], signal)) {
  openedBytes += block.length;
  await new Promise((resolve) => setTimeout(resolve, 1));
}
if (openedBytes !== Number(sizeMiB) * 1024 * 1024) throw new Error(`only ${openedBytes} bytes came back`);
console.log(Math.round(process.resourceUsage().maxRSS / 1024));
