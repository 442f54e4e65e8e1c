import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { wardenError } from '../../support/errors.ts';
import { openS3Store } from '../../support/s3.ts';

const go = new AbortController().signal;
const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'secretsecret' };

const upload = (key: string, id: string) =>
  `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>2026-01-02T03:04:05Z</Initiated></Upload>`;
const next = (key: string, id: string) =>
  `<NextKeyMarker>${key}</NextKeyMarker><NextUploadIdMarker>${id}</NextUploadIdMarker>`;

/** Keys of the unfinished uploads at a server whose page after the markers `key,id` is `pages['key,id']`. */
async function keysFrom(pages: Readonly<Record<string, string>>, prefix = ''): Promise<string[]> {
  const server = createServer((request, answer) => {
    const asked = new URL(request.url ?? '', 'http://localhost').searchParams;
    const place = [asked.get('key-marker'), asked.get('upload-id-marker')]
      .filter((marker) => marker !== null)
      .join(',');
    answer.writeHead(200, { 'content-type': 'application/xml' });
    answer.end(`<ListMultipartUploadsResult>${pages[place] ?? ''}</ListMultipartUploadsResult>`);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    await using store = openS3Store({ endpoint, credentials }, 'b', { prefix: 'p' });
    const keys: string[] = [];
    for await (const { key } of store.unfinishedUploads(prefix, go)) keys.push(key);
    return keys;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe('Unfinished uploads in S3', () => {
  it('are found on every page, where one key has several as well', async () => {
    const keys = await keysFrom({
      '': `<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>${next('p%2Fa+1', '1')}${upload('p/a+1', '1')}`,
      'p/a 1,1': `<IsTruncated>true</IsTruncated>${next('p/a 1', '2')}${upload('p/a 1', '2')}`,
      // Lawful: the last page repeats where it ends.
      'p/a 1,2': `<IsTruncated>false</IsTruncated>${next('p/b', '3')}${upload('p/b', '3')}`,
    });
    expect(keys).toEqual(['a 1', 'a 1', 'b']);
  });

  it('are none of those that a store lists in spite of the prefix', async () => {
    const all = ['p/c/1', 'p/cc/1', 'p', 'pp/c/1', 'c/1'].map((key) => upload(key, '1')).join('');
    expect(await keysFrom({ '': `<IsTruncated>false</IsTruncated>${all}` }, 'c/')).toEqual(['c/1']);
  });

  it.each([
    ['round in a circle', { '': next('p/a', '1'), 'p/a,1': next('p/b', '1'), 'p/b,1': next('p/a', '1') }],
    ['without saying how to go on', { '': '' }],
  ])('are not taken for all where the listing is cut short, but goes on %s', async (told, places) => {
    const cut = (goesOn: string) => `<IsTruncated>true</IsTruncated>${goesOn}${upload('p/k', '1')}`;
    const pages = Object.entries<string>(places).map(([place, goesOn]) => [place, cut(goesOn)] as const);
    await expect(keysFrom(Object.fromEntries(pages))).rejects.toEqual(wardenError('store-failed', told));
  });
});
