import { isWardenError, WardenError } from '../../errors/warden-error.ts';
import type { Member } from '../../ports/etcd.ts';
import type { MemberMetricFacts, MemberMetrics } from '../../ports/member-metrics.ts';
import { hex } from './answers.ts';
import { parseEndpoint } from './endpoints.ts';
import { describeUrl, fetchText } from './fetch-text.ts';
import { readMemberMetrics } from './member-metric-facts.ts';
import type { TlsFiles } from './tls-files.ts';

export interface MemberMetricsOptions {
  /**
   * cluster.metrics: `auto` asks at the member's client URL, `off` nowhere; otherwise a URL in which `{host}` stands for
   * the host of that client URL.
   */
  readonly location: string;
  /** Those of the client API; used where the URL is https. */
  readonly tls?: TlsFiles | undefined;
}

/** Metrics over HTTP/1.1, each time over a connection of its own. */
export function createMemberMetrics({ location, tls }: MemberMetricsOptions): MemberMetrics {
  return {
    read: async (member, signal) => {
      if (location === 'off') return undefined;
      const url = metricsUrl(location, member);
      try {
        return factsOf(await fetchText(url, tls, signal), member, url);
      } catch (error) {
        throw isWardenError(error) && error.code.startsWith('etcd-') ? explained(error, member, url) : error;
      }
    },
  };
}

function metricsUrl(location: string, member: Member): URL {
  if (member.endpoint === undefined) {
    throw new WardenError('etcd-unreachable', `member ${member.name} was never started: it has no client URL`);
  }
  const { url, host } = parseEndpoint(member.endpoint);
  if (location === 'auto') return new URL(`${url}/metrics`);
  const inUrl = host.includes(':') ? `[${host}]` : host;
  return new URL(location.replaceAll('{host}', () => inUrl));
}

function factsOf(text: string, member: Member, url: URL): MemberMetricFacts {
  const read = readMemberMetrics(text);
  if (read === undefined) {
    throw new WardenError(
      'etcd-answer-invalid',
      `${describeUrl(url)} answered with something else than etcd's metrics`,
    );
  }
  const { facts, memberId } = read;
  if (memberId !== undefined && member.id !== 0n && memberId !== hex(member.id)) {
    const message = `${describeUrl(url)} serves the metrics of member ${memberId}, expected ${hex(member.id)}`;
    throw new WardenError('etcd-member-mismatch', message);
  }
  return facts;
}

/** Where metrics cannot be had, it is mostly this one option that is to be changed. */
function explained(error: WardenError, member: Member, url: URL): WardenError {
  const hint =
    'Set cluster.metrics to where etcd serves them (its --listen-metrics-urls or --listen-client-http-urls; {host} stands for the host of the member), or to off.';
  return new WardenError(error.code, `the metrics of member ${member.name} cannot be read: ${error.message}`, {
    details: { ...error.details, url: describeUrl(url) },
    cause: error,
    hint,
  });
}
