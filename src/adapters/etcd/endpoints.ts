import { WardenError } from '../../errors/warden-error.ts';
import type { Member } from '../../ports/etcd.ts';

/** Where a member's client API is dialled. */
export interface Endpoint {
  /** Normal form, by which endpoints are compared: `https://10.0.0.1:2379`, no trailing slash. */
  readonly url: string;
  readonly secure: boolean;
  /** Name or address without the brackets of IPv6. */
  readonly host: string;
  readonly port: number;
}

const defaultPorts: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/** Reads a client URL of etcd; rejects what cannot be dialled over TCP (etcd also advertises `unix://`). */
export function parseEndpoint(text: string): Endpoint {
  const url = URL.parse(text);
  const defaultPort = url === null ? undefined : defaultPorts[url.protocol];
  if (url === null || defaultPort === undefined || url.hostname === '') {
    throw new WardenError('etcd-unreachable', `etcd endpoint must be an http:// or https:// URL, got "${text}"`);
  }
  const port = url.port === '' ? defaultPort : Number(url.port);
  return {
    url: `${url.protocol}//${url.hostname}:${port}`,
    secure: url.protocol === 'https:',
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port,
  };
}

/** The normal form of a URL, or the text itself where it is none: for comparing what people and etcd wrote. */
export function normalUrl(text: string): string {
  return URL.canParse(text) && defaultPorts[new URL(text).protocol] !== undefined ? parseEndpoint(text).url : text;
}

/** What answers at an endpoint, as long as nothing is known of it but where it is. */
export function endpointAsMember(endpoint: string): Member {
  const url = normalUrl(endpoint);
  return { id: 0n, name: url.replace(/^https?:\/\//, ''), isLearner: false, endpoint: url };
}
