import { mkdtemp, open, readFile, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WriteQueue } from '../../../src/adapters/system/write-queue.ts';

const mib = 1024 ** 2;

describe('A write queue', () => {
  let folder: string;
  let file: FileHandle;
  let queue: WriteQueue;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'warden-queue-'));
    file = await open(join(folder, 'file'), 'wx');
    queue = new WriteQueue(file);
  });

  afterEach(async () => {
    vi.restoreAllMocks();
    await file.close();
    await rm(folder, { recursive: true });
  });

  const written = () => readFile(join(folder, 'file'));

  /** Takes blocks at once and writes none, so that gigabytes cost nothing. */
  const pretendToWrite = () =>
    vi.spyOn(file, 'writev').mockImplementation((buffers) => {
      const bytesWritten = buffers.reduce((sum, buffer) => sum + buffer.byteLength, 0);
      return Promise.resolve({ bytesWritten, buffers });
    });

  it('writes blocks in order, more than one call takes, and empty ones', async () => {
    const blocks = Array.from({ length: 3000 }, (_, index) => Buffer.from(index % 7 === 0 ? '' : `${index},`));
    for (const block of blocks) await queue.push(block);
    await queue.drain();
    expect(await written()).toEqual(Buffer.concat(blocks));
  });

  it('writes a block as it was when it came, whatever becomes of its memory', async () => {
    const block = Buffer.alloc(mib, 'a');
    const larger = Buffer.alloc(2 * mib, 'b');
    for (const pushed of [block, larger, block]) await queue.push(pushed);
    block.fill('x');
    larger.fill('x');
    await queue.drain();
    for (const letter of ['c', 'd']) await queue.push(block.fill(letter).subarray(0, 10));
    await queue.drain();
    const text = (await written()).toString();
    expect(text).toBe('a'.repeat(mib) + 'b'.repeat(2 * mib) + 'a'.repeat(mib) + 'c'.repeat(10) + 'd'.repeat(10));
  });

  it('writes again what a short write left', async () => {
    const writev = file.writev.bind(file);
    vi.spyOn(file, 'writev').mockImplementation((buffers) => {
      const [first] = buffers;
      return writev(first === undefined ? [] : [new Uint8Array(first.buffer, first.byteOffset, 3)]);
    });
    for (const block of ['012345', '678', '9abcde']) await queue.push(Buffer.from(block));
    await queue.drain();
    expect((await written()).toString()).toBe('0123456789abcde');
  });

  it('takes 16 MiB ahead of the disk, and lets the next block wait', async () => {
    const disk = Promise.withResolvers<void>();
    const writev = file.writev.bind(file);
    vi.spyOn(file, 'writev').mockImplementation(async (buffers) => {
      await disk.promise;
      return writev(buffers);
    });
    for (let block = 0; block < 4; block += 1) await queue.push(Buffer.alloc(4 * mib));
    const order: string[] = [];
    const pushed = queue.push(Buffer.alloc(1)).then(() => order.push('pushed'));
    setImmediate(() => {
      order.push('the disk is free');
      disk.resolve();
    });
    await pushed;
    expect(order).toEqual(['the disk is free', 'pushed']);
    await queue.drain();
    expect(await written()).toHaveLength(16 * mib + 1);
  });

  it('reports a block that could not be written to every later call', async () => {
    vi.spyOn(file, 'writev').mockRejectedValueOnce(new Error('disk full'));
    await queue.push(Buffer.from('lost'));
    await expect(queue.drain()).rejects.toThrow('disk full');
    await expect(queue.push(Buffer.from('next'))).rejects.toThrow('disk full');
    await expect(queue.drain()).rejects.toThrow('disk full');
    expect(await written()).toHaveLength(0);
  });

  it('lets nobody wait for room that a failure will never make', async () => {
    const disk = Promise.withResolvers<never>();
    vi.spyOn(file, 'writev').mockReturnValue(disk.promise);
    const pushed = queue.push(Buffer.alloc(17 * mib));
    disk.reject(new Error('disk full'));
    await expect(pushed).rejects.toThrow('disk full');
  });

  it('asks the kernel to write to the disk every 64 MiB, while more comes', async () => {
    pretendToWrite();
    const flushed = Promise.withResolvers<void>();
    const datasync = vi.spyOn(file, 'datasync').mockReturnValueOnce(flushed.promise);
    // One flush at a time: the second waits for the first.
    for (let block = 0; block < 40; block += 1) await queue.push(Buffer.alloc(4 * mib));
    expect(datasync).toHaveBeenCalledTimes(1);
    let isDrained = false;
    const drained = queue.drain().then(() => (isDrained = true));
    setImmediate(() => {
      expect(isDrained).toBe(false);
      flushed.resolve();
    });
    await drained;
    await queue.push(Buffer.alloc(4 * mib));
    await queue.drain();
    expect(datasync).toHaveBeenCalledTimes(2);
  });

  it('never forgets a flush that failed: the kernel reports it only once', async () => {
    pretendToWrite();
    vi.spyOn(file, 'datasync').mockRejectedValueOnce(new Error('EIO'));
    const pushAll = async () => {
      for (let block = 0; block < 20; block += 1) await queue.push(Buffer.alloc(4 * mib));
      await queue.drain();
    };
    await expect(pushAll()).rejects.toThrow('EIO');
    await expect(queue.drain()).rejects.toThrow('EIO');
  });

  it('that is abandoned waits for the write under way, and writes no more', async () => {
    const disk = Promise.withResolvers<void>();
    const writev = file.writev.bind(file);
    const spy = vi.spyOn(file, 'writev').mockImplementation(async (buffers) => {
      await disk.promise;
      return writev(buffers);
    });
    await queue.push(Buffer.from('under way'));
    const waiting = queue.push(Buffer.alloc(17 * mib));
    const abandoned = queue.abandon();
    await expect(waiting).rejects.toThrow('given up');
    disk.resolve();
    await abandoned;
    expect(spy).toHaveBeenCalledTimes(1);
    expect((await written()).toString()).toBe('under way');
    await expect(queue.drain()).rejects.toThrow('given up');
  });
});
