import { WardenError } from '../../errors/warden-error.ts';

/** gRPC's customary limit of a message; those of a snapshot carry 32 KiB. Source: etcd maintenance.go. */
const maxMessageBytes = 4 * 1024 * 1024;

/** One flag byte and four of length. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
const prefixBytes = 5;

/** Fields of SnapshotResponse in proto/etcd.proto. */
const remainingBytesField = 2;
const blobField = 3;

export interface SnapshotMessage {
  readonly blobBytes: number;
  /** Bytes still to come after this message, without the SHA-256 at the end. */
  readonly remainingBytes: number;
}

export interface SnapshotMessageSink {
  /** A piece of a blob: a view of what was pushed, to be copied before the call returns. Never empty. */
  readonly onBlob: (piece: Uint8Array) => void;
  /** The end of a message, after its blob. */
  readonly onMessage: (message: SnapshotMessage) => void;
}

type State = 'prefix' | 'tag' | 'number' | 'length' | 'blob' | 'skip';

/**
 * Reads gRPC messages that each hold a SnapshotResponse, from pieces cut anywhere, and copies nothing. Knows as much of
 * protobuf as this message needs; fields that nobody asks for (the header, the storage version) are skipped.
 */
export class SnapshotMessageParser {
  readonly #sink: SnapshotMessageSink;
  #state: State = 'prefix';
  /** Of the prefix, as far as it came. */
  #prefixCount = 0;
  #messageLeft = 0;
  /** The varint being read: value so far, and what its next seven bits count. */
  #varint = 0;
  #varintScale = 1;
  #field = 0;
  /** Of the blob or the skipped field. */
  #fieldLeft = 0;
  #blobBytes = 0;
  #remainingBytes = 0;

  constructor(sink: SnapshotMessageSink) {
    this.#sink = sink;
  }

  /** Whether everything pushed so far was whole messages. */
  get isBetweenMessages(): boolean {
    return this.#state === 'prefix' && this.#prefixCount === 0;
  }

  /** Throws `etcd-answer-invalid` at the first byte that cannot be right; the parser is of no use after that. */
  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#state === 'blob' || this.#state === 'skip') {
        const end = Math.min(bytes.length, at + this.#fieldLeft);
        if (this.#state === 'blob') this.#sink.onBlob(bytes.subarray(at, end));
        this.#fieldLeft -= end - at;
        this.#messageLeft -= end - at;
        at = end;
        if (this.#fieldLeft === 0) this.#endField();
      } else {
        const byte = bytes[at] ?? 0;
        at += 1;
        if (this.#state === 'prefix') this.#readPrefix(byte);
        else this.#readVarint(byte);
      }
    }
  }

  #readPrefix(byte: number): void {
    if (this.#prefixCount === 0) {
      if (byte !== 0) throw invalid(`a message is marked as compressed (flag ${byte}), which was not asked for`);
      this.#messageLeft = 0;
    } else {
      this.#messageLeft = this.#messageLeft * 256 + byte;
    }
    this.#prefixCount += 1;
    if (this.#prefixCount < prefixBytes) return;
    if (this.#messageLeft > maxMessageBytes) {
      throw invalid(
        `a message announces ${this.#messageLeft} bytes, more than the ${maxMessageBytes} that a message may have`,
      );
    }
    this.#prefixCount = 0;
    this.#blobBytes = 0;
    this.#remainingBytes = 0;
    this.#endField();
  }

  #readVarint(byte: number): void {
    this.#messageLeft -= 1;
    this.#varint += (byte & 0x7f) * this.#varintScale;
    if (byte >= 0x80) {
      this.#varintScale *= 128;
      if (this.#messageLeft === 0) throw invalid('a message ends within a number');
      if (this.#varintScale > 2 ** 63) throw invalid('a number has more than 64 bits');
      return;
    }
    const value = this.#varint;
    this.#varint = 0;
    this.#varintScale = 1;
    if (this.#state === 'tag') return this.#beginField(value);
    if (this.#state === 'length') return this.#beginBytes(value);
    if (this.#field === remainingBytesField) {
      if (!Number.isSafeInteger(value)) throw invalid(`a message announces ${value} remaining bytes`);
      this.#remainingBytes = value;
    }
    return this.#endField();
  }

  #beginField(tag: number): void {
    this.#field = Math.floor(tag / 8);
    const wireType = tag % 8;
    const expected = this.#field === remainingBytesField ? 0 : this.#field === blobField ? 2 : wireType;
    if (this.#field === 0 || wireType !== expected) throw invalid(`field ${this.#field} has wire type ${wireType}`);
    if (wireType === 0) this.#expectVarint('number');
    else if (wireType === 2) this.#expectVarint('length');
    else if (wireType === 1 || wireType === 5) this.#beginBytes(wireType === 1 ? 8 : 4);
    else throw invalid(`field ${this.#field} has wire type ${wireType}`);
  }

  #expectVarint(state: 'number' | 'length'): void {
    if (this.#messageLeft === 0) throw invalid(`a message ends within field ${this.#field}`);
    this.#state = state;
  }

  #beginBytes(length: number): void {
    if (length > this.#messageLeft) {
      throw invalid(`field ${this.#field} announces ${length} bytes where the message has ${this.#messageLeft} left`);
    }
    this.#fieldLeft = length;
    this.#state = this.#field === blobField ? 'blob' : 'skip';
    if (this.#field === blobField) this.#blobBytes += length;
    if (length === 0) this.#endField();
  }

  #endField(): void {
    this.#state = 'tag';
    if (this.#messageLeft > 0) return;
    this.#state = 'prefix';
    this.#sink.onMessage({ blobBytes: this.#blobBytes, remainingBytes: this.#remainingBytes });
  }
}

function invalid(what: string): WardenError {
  return new WardenError('etcd-answer-invalid', `the snapshot stream is not what etcd sends: ${what}`);
}
