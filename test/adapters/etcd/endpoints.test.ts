import { expect, test } from 'vitest';
import { normalUrl, parseEndpoint } from '../../../src/adapters/etcd/endpoints.ts';

test.each([
  ['https://10.0.0.1:2379/', { url: 'https://10.0.0.1:2379', secure: true, host: '10.0.0.1', port: 2379 }],
  [
    'http://Etcd-0.Example:2379',
    { url: 'http://etcd-0.example:2379', secure: false, host: 'etcd-0.example', port: 2379 },
  ],
  ['https://[::1]:2379', { url: 'https://[::1]:2379', secure: true, host: '::1', port: 2379 }],
  ['https://etcd.example', { url: 'https://etcd.example:443', secure: true, host: 'etcd.example', port: 443 }],
])('reads %s', (text, endpoint) => {
  expect(parseEndpoint(text)).toEqual(endpoint);
});

test.each(['10.0.0.1:2379', 'unix:///run/etcd.sock', 'localhost:2379', '', 'https://'])(
  'cannot dial "%s" and says so',
  (text) => {
    expect(() => parseEndpoint(text)).toThrow(
      expect.objectContaining({ code: 'etcd-unreachable', message: expect.stringContaining(`"${text}"`) as unknown }),
    );
  },
);

test('compares URLs by their normal form and leaves others as they are', () => {
  expect(normalUrl('https://HOST:443/')).toBe(normalUrl('https://host'));
  expect(normalUrl('unix://run/etcd')).toBe('unix://run/etcd');
});
