import { WardenError } from '../errors/warden-error.ts';
import { ByteReader } from './byte-reader.ts';
import { type Bytes, regroup } from './bytes.ts';
import { maxFrameSizeBytes, maxRecipients } from './message.ts';

/**
 * The header of an AWS Encryption SDK message, then each of its frames whole. The SDK reads what it is given and passes
 * over whatever follows the final frame, holding it in memory; here that is `object-damaged`, and so is a frame larger
 * than we hold. Nothing is authenticated here: that is for whoever reads the result.
 *
 * Source: AWS Encryption SDK developer guide, message format reference: header structure version 2, framed data.
 */
export async function* readMessage(source: Bytes): AsyncGenerator<Uint8Array, void> {
  const reader = new ByteReader(regroup(source));
  try {
    const header = await reader.take(await headerSizeBytes(reader));
    const contentSizeBytes = frameContentSizeBytes(header);
    yield header;
    for (let last = false; !last;) {
      last = (await readUint(reader, 0, 4)) === finalFrame;
      yield await reader.take(
        last ? await finalFrameSizeBytes(reader, contentSizeBytes) : 4 + ivBytes + contentSizeBytes + tagBytes,
      );
    }
    if (!(await reader.ended())) throw damaged('bytes follow the end of the message');
  } finally {
    await reader.close();
  }
}

const ivBytes = 12;
const tagBytes = 16;
const commitmentBytes = 32;
/** In place of a sequence number; the real one follows. */
const finalFrame = 0xffffffff;

/** Version, suite, message id, context, encrypted data keys, content type, frame length, commitment, authentication tag. */
async function headerSizeBytes(reader: ByteReader): Promise<number> {
  const contextAt = 1 + 2 + 32;
  let sizeBytes = contextAt + 2 + (await readUint(reader, contextAt, 2));
  const keys = await readUint(reader, sizeBytes, 2);
  if (keys > maxRecipients) throw damaged(`it has ${keys} recipients, more than ${maxRecipients}`);
  sizeBytes += 2;
  // Each is three fields with their lengths before them: provider, what the provider needs to know, the wrapped key.
  for (let field = 0; field < keys * 3; field += 1) sizeBytes += 2 + (await readUint(reader, sizeBytes, 2));
  return sizeBytes + 1 + 4 + commitmentBytes + tagBytes;
}

function frameContentSizeBytes(header: Uint8Array): number {
  const at = header.length - tagBytes - commitmentBytes - 4;
  const sizeBytes = new DataView(header.buffer, header.byteOffset + at).getUint32(0);
  if (sizeBytes === 0 || sizeBytes > maxFrameSizeBytes) {
    throw damaged(`its frames of ${sizeBytes} bytes are not of 1 to ${maxFrameSizeBytes} bytes`);
  }
  return sizeBytes;
}

/** Marker, sequence number, IV, length, content, tag. */
async function finalFrameSizeBytes(reader: ByteReader, maxContentBytes: number): Promise<number> {
  const lengthAt = 4 + 4 + ivBytes;
  const contentBytes = await readUint(reader, lengthAt, 4);
  if (contentBytes > maxContentBytes) throw damaged('its final frame is longer than its frames are');
  return lengthAt + 4 + contentBytes + tagBytes;
}

async function readUint(reader: ByteReader, offset: number, length: 2 | 4): Promise<number> {
  const bytes = (await reader.peek(offset + length)).subarray(offset);
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  return length === 2 ? view.getUint16(0) : view.getUint32(0);
}

const damaged = (what: string): WardenError => new WardenError('object-damaged', `the sealed data is damaged: ${what}`);
