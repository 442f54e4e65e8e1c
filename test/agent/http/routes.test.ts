import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostileTexts } from './hostile-status.ts';
import { healthyStatus } from './sample-status.ts';
import { connectRaw, serve, type Served } from './serve.ts';

describe('what the daemon serves', () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve();
  });
  afterAll(async () => {
    await served[Symbol.asyncDispose]();
  });
  const get = (path: string, init?: RequestInit): Promise<Response> => fetch(served.url + path, init);

  it('has metrics in the format that the scraper asks for', async () => {
    const answer = await get('/metrics', { headers: { accept: 'application/openmetrics-text' } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4');
    expect(await answer.text()).toBe('# asked for application/openmetrics-text\n');
  });

  it('has a page, and the same facts as JSON', async () => {
    const page = await get('/');
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(await page.text()).toContain('<title>Safe: production-eu | etcd-warden</title>');
    const json = await get('/api/status');
    expect(json.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await json.json()).toMatchObject({ cluster: 'production-eu', now: '2026-11-25T14:03:22.000Z' });
  });

  it('says on its health routes that all is well', async () => {
    for (const path of ['/livez', '/readyz']) {
      const answer = await get(path);
      expect([answer.status, await answer.text()]).toEqual([200, 'ok\n']);
    }
  });

  it.each(['/metrics?x=/livez', '/livez?verbose', '/?', '/api/status?pretty#x'])(
    'ignores the query of %s',
    async (path) => {
      expect((await get(path)).status).toBe(200);
    },
  );

  it.each(['/metrics/', '/Metrics', '/api', '/api/status/', '/favicon.ico', '/%2e%2e/etc/passwd', '/..%2fetc'])(
    'has nothing at %s, and says what there is',
    async (path) => {
      const answer = await get(path);
      expect(answer.status).toBe(404);
      expect(await answer.text()).toMatch(/^There is nothing here\. There are .*\/metrics.*\n$/);
    },
  );

  it.each([
    ['//evil.example/metrics', 404],
    ['/../metrics', 404],
    ['http://127.0.0.1/metrics', 200],
    ['http://:/metrics', 404],
    ['*', 404],
  ])('answers the request line of %s with %i', async (target, status) => {
    using client = await connectRaw(
      served.server.port,
      `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    );
    expect(await client.ended).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });

  it.each(['/metrics', '/livez', '/readyz', '/', '/api/status', '/nothing'])(
    'answers HEAD of %s like GET, without a body',
    async (path) => {
      const [head, whole] = await Promise.all([get(path, { method: 'HEAD' }), get(path)]);
      expect(head.status).toBe(whole.status);
      expect(head.headers.get('content-length')).toBe(String((await whole.arrayBuffer()).byteLength));
      expect(await head.text()).toBe('');
    },
  );

  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('refuses %s everywhere', async (method) => {
    for (const path of ['/', '/metrics', '/api/status', '/nothing']) {
      const answer = await get(path, { method });
      expect(answer.status).toBe(405);
      expect(answer.headers.get('allow')).toBe('GET, HEAD');
    }
  });

  it.each(['/metrics', '/livez', '/readyz', '/', '/api/status', '/nothing'])(
    'lets nothing of %s be run, framed, kept or told to others',
    async (path) => {
      const { headers } = await get(path);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('content-security-policy')).toMatch(
        /^default-src 'none'; style-src 'sha256-[\w+/]{43}='; frame-ancestors 'none'; base-uri 'none'; form-action 'none'$/,
      );
    },
  );

  it('has neither page nor JSON where the status page is turned off', async () => {
    await using without = await serve({ statusPage: false });
    for (const path of ['/', '/api/status']) {
      const answer = await fetch(without.url + path);
      expect([answer.status, await answer.text()]).toEqual([
        404,
        'The status page is turned off: http.statusPage turns it on.\n',
      ]);
    }
    expect((await fetch(`${without.url}/metrics`)).status).toBe(200);
  });
});

describe('the health of the daemon', () => {
  const wrong = { ok: false, lines: ['primary: no backup for 3h', 'a name with\na line break and \u202Ea turn'] };
  const told = 'primary: no backup for 3h\na name with a line break and \\u202ea turn\n';

  // BC-31
  it('never takes etcd out of service: what is wrong is told with status 200', async () => {
    await using served = await serve({ routes: { readyz: () => wrong } });
    const answer = await fetch(`${served.url}/readyz`);
    expect([answer.status, await answer.text()]).toEqual([200, `degraded\n${told}`]);
  });

  it('is still ready where the question fails', async () => {
    await using served = await serve({ routes: { readyz: () => Promise.reject(new Error('no answer')) } });
    const answer = await fetch(`${served.url}/readyz`);
    expect([answer.status, await answer.text()]).toEqual([200, 'degraded\nit could not be found out: no answer\n']);
  });

  it('asks for a restart by /livez only', async () => {
    await using served = await serve({ routes: { livez: () => wrong, readyz: () => wrong } });
    const answer = await fetch(`${served.url}/livez`);
    expect([answer.status, await answer.text()]).toEqual([503, `stuck\n${told}`]);
    expect((await fetch(`${served.url}/readyz`)).status).toBe(200);
  });
});

describe('a route that fails', () => {
  it('is answered with one line that tells nothing, reported, and harms no other route', async () => {
    const routes = {
      metrics: () => Promise.reject(new Error('a secret')),
      status: () => {
        throw new TypeError('cannot read it');
      },
    };
    await using served = await serve({ routes });
    for (const path of ['/metrics?x', '/', '/api/status']) {
      const answer = await fetch(served.url + path);
      expect([answer.status, await answer.text()]).toEqual([500, 'This could not be answered; the log says why.\n']);
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    }
    expect(served.errors.map(({ error, path }) => [error.message, path])).toEqual([
      ['a secret', '/metrics?x'],
      ['cannot read it', '/'],
      ['cannot read it', '/api/status'],
    ]);
    expect((await fetch(`${served.url}/livez`)).status).toBe(200);
  });
});

describe('the status as JSON', () => {
  it('holds the same facts, with null for what is not known', async () => {
    const status = healthyStatus({ cluster: hostileTexts.join('\n') });
    await using served = await serve({ routes: { status: () => status } });
    const text = await (await fetch(`${served.url}/api/status`)).text();
    const expected: unknown = JSON.parse(JSON.stringify(status, (_, value: unknown) => value ?? null));
    expect(JSON.parse(text)).toEqual(expected);
    expect(JSON.parse(text)).toMatchObject({ repositories: [{ error: null }, { error: null }] });
  });

  it('shows neither a browser nor a terminal anything to run', async () => {
    const cluster = '</script><b>\u001B[2J\u009B\u202E\u2028\u{E0001}&"';
    await using served = await serve({ routes: { status: () => healthyStatus({ cluster }) } });
    const text = await (await fetch(`${served.url}/api/status`)).text();
    expect(text.replaceAll('\n', '')).not.toMatch(/[<>&\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(JSON.parse(text)).toMatchObject({ cluster });
  });
});
