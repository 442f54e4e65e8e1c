import { expect, it } from 'vitest';
import type { ObjectStore } from '../../src/ports/object-store.ts';
import { bytesOf, keysOf } from './store-subject.ts';

const go = new AbortController().signal;
const text = (value: string) => Buffer.from(value);

/** What every store promises of `removeAll`. Whether it keeps older versions is its own affair. */
export function describeRemoval(open: () => ObjectStore): void {
  const storeAll = async (...keys: string[]) => {
    for (const key of keys) await open().create(key, text(key), go);
  };
  /** Kinds of the outcomes. */
  const removing = async (keys: readonly string[], signal = go) =>
    (await open().removeAll(keys, signal)).map((outcome) => outcome.kind);

  it('removes what is there, and what is not without complaint', async () => {
    await storeAll('a/b/1', 'a/b/2', 'a/3');
    expect(await removing(['never/there', 'a/b/1', 'a/b/9', 'a/3'])).toEqual(Array(4).fill('removed'));
    expect(await keysOf(open(), '')).toEqual(['a/b/2']);
    expect(await open().stat('a/b/1', go)).toBeUndefined();
    expect(await removing(['a/b/1'])).toEqual(['removed']);
  });

  it('makes room for another object under the same key', async () => {
    await storeAll('a/b/1');
    await open().removeAll(['a/b/1'], go);
    await open().create('a/b/1', text('again'), go);
    expect(await bytesOf(open(), 'a/b/1')).toEqual(text('again'));
  });

  it('takes a key for itself alone, not for a prefix', async () => {
    await storeAll('a', 'ab', 'b/c', 'b/cd', 'b-');
    expect(await removing(['a', 'b/c'])).toEqual(['removed', 'removed']);
    expect(await keysOf(open(), '')).toEqual(['ab', 'b-', 'b/cd']);
  });

  it('takes keys as they are written', async () => {
    const keys = ['a b', 'a+b', 'a%2Fb', 'x&<y', 'ü', '\u{1F511}', '\uFF21'];
    await storeAll(...keys, 'a', 'b');
    expect(await removing(keys)).toEqual(Array(keys.length).fill('removed'));
    expect(await keysOf(open(), '')).toEqual(['a', 'b']);
  });

  it('removes a key that is given twice, and nothing for no keys', async () => {
    await storeAll('a', 'b');
    expect(await removing(['a', 'a'])).toEqual(['removed', 'removed']);
    expect(await removing([])).toEqual([]);
    expect(await keysOf(open(), '')).toEqual(['b']);
  });

  // S3 takes a thousand keys at a time.
  const many = Array.from({ length: 1500 }, (_, at) => `many/${at % 3}/${at}`);
  const some = many.filter((_, at) => [0, 1, 499, 998, 999, 1000, 1001, 1499].includes(at));

  it('removes 1,500 keys at once', async () => {
    await storeAll(...some, 'many/0/1500');
    expect(await removing(many)).toEqual(Array(1500).fill('removed'));
    expect(await keysOf(open(), '')).toEqual(['many/0/1500']);
  });

  it('stops when its signal is aborted, and can be asked again', async () => {
    await storeAll(...some, 'other');
    const stop = new AbortController();
    const stopped = removing(many, stop.signal);
    stop.abort();
    await expect(stopped).rejects.toMatchObject({ code: 'interrupted' });
    expect(await keysOf(open(), 'other')).toEqual(['other']);
    expect(await removing(some)).toEqual(Array(some.length).fill('removed'));
    expect(await keysOf(open(), '')).toEqual(['other']);
  });
}
