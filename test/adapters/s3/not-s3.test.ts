import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { keysOf } from '../../conformance/object-store.ts';
import { openS3Store } from '../../support/s3.ts';

const go = new AbortController().signal;
const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'secretsecret' };

/** What each call that must be answered rejects with, in front of a web server that answers so. */
async function errorsOf(listener: RequestListener): Promise<unknown[]> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    await using store = openS3Store({ endpoint, credentials }, 'b');
    const calls: Promise<unknown>[] = [
      store.create('k', Buffer.from('x'), go),
      keysOf(store, ''),
      store.read('k', {}, go),
    ];
    return await Promise.all(calls.map((call) => call.catch((error: unknown) => error)));
  } finally {
    server.close();
  }
}

const page = '<html><head><title>Welcome</title></head><body><h1>It works</h1></body></html>';

describe('A web server that is no S3 store', () => {
  it.each([
    [200, 'text/html', page, 'store-failed'],
    [200, 'text/html', '<html><br>', 'store-failed'],
    [403, 'text/html', page, 'store-refused'],
    [404, 'text/html', page, 'store-refused'],
    [404, 'text/plain', '404 page not found', 'store-refused'],
    [404, 'application/json', '{"error":"no route"}', 'store-refused'],
    [405, 'text/html', '<html><br>', 'store-refused'],
    [503, 'text/html', '<html><br>No server is available', 'store-failed'],
  ])('that answers %i with %s %j is told as such', async (status, contentType, body, code) => {
    const errors = await errorsOf((_, answer) => answer.writeHead(status, { 'content-type': contentType }).end(body));
    expect(errors).toHaveLength(3);
    for (const error of errors) {
      expect(error).toMatchObject({
        code,
        message: expect.stringMatching(/^[^\n]*answered, but not as S3[^\n]*$/) as unknown,
        hint: expect.stringContaining('Check the endpoint') as unknown,
      });
      expect(String(error)).not.toMatch(/hidden field|\$response/);
    }
  });

  it('is told by a 404 without a word where a store would have one', async () => {
    const [create, list, read] = await errorsOf((_, answer) => answer.writeHead(404).end());
    expect([create, list]).toMatchObject([{ code: 'store-refused' }, { code: 'store-refused' }]);
    expect(read).toMatchObject({ code: 'store-object-missing' });
  });

  it('but a TLS server that was spoken to in plain HTTP has the right scheme named', async () => {
    const sentence = 'Client sent an HTTP request to an HTTPS server.';
    for (const error of await errorsOf((_, answer) => answer.writeHead(400).end(sentence))) {
      expect(error).toMatchObject({ message: expect.stringContaining('write https://') as unknown });
    }
  });
});
