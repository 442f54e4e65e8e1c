import { checkedText, duration, flag, oneOf, parsedText, section, text } from '../fields.ts';
import { optionWithDefault } from '../option.ts';
import { findUrlFault } from '../url-field.ts';

/** What a run sees and what others see of it: looks at what is there, HTTP, pushed metrics, the log. */

export interface ListenAddress {
  /** A name, an IPv4 address, or an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
}

const listenPattern = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):([0-9]{1,5})$/;

function parseListenAddress(value: string): ListenAddress | undefined {
  const [, ipv6, name, port] = listenPattern.exec(value) ?? [];
  const host = ipv6 ?? name;
  return host !== undefined && Number(port) <= 65_535 ? { host, port: Number(port) } : undefined;
}

export function formatListenAddress({ host, port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

export const http = section({
  listen: optionWithDefault(
    parsedText<ListenAddress>('host:port', listenPattern, parseListenAddress),
    '0.0.0.0:9427',
    'Where `run` serves metrics and health. Nothing there changes anything.',
  ),
  statusPage: optionWithDefault(flag(), true, 'Serve a status page at / and /api/status.'),
});

export const watch = section({
  repositories: optionWithDefault(
    duration('10s', '1d'),
    '5m',
    'How often every repository is listed. Metrics and status page tell what was found, also where others do the work.',
  ),
  members: optionWithDefault(duration('5s', '1h'), '30s', 'How often every member is asked.'),
});

export const push = section({
  gateway: optionWithDefault(
    checkedText('an http or https URL, or empty', (value) => (value === '' ? undefined : findUrlFault(value))),
    '',
    'Pushgateway that one-shot runs push their metrics to. Empty: none.',
    'http://pushgateway.example.com:9091',
  ),
  textfile: optionWithDefault(
    text('an absolute path that ends in .prom, or empty', /^(\/[^\0]*\.prom)?$/),
    '',
    "File for node_exporter's textfile collector, written by one-shot runs. Empty: none.",
    '/var/lib/node_exporter/etcd-warden.prom',
  ),
});

export const log = section({
  level: optionWithDefault(oneOf('debug', 'info', 'warn', 'error'), 'info', 'The least that is logged.'),
  format: optionWithDefault(
    oneOf('auto', 'json', 'pretty'),
    'auto',
    'json: one object a line. pretty: for people. auto: pretty on a terminal, and there without level info, because commands print their results; else json.',
  ),
});
