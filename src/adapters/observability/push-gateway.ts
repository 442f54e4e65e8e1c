import { once } from 'node:events';
import { type IncomingMessage, request as requestPlainly } from 'node:http';
import { request as requestOverTls } from 'node:https';
import { describeThrown, type ErrorDetails, isWardenError, WardenError } from '../../errors/warden-error.ts';
import type { FactGroup } from '../../ports/metrics-export.ts';
import { throwIfInterrupted } from '../store-layers/interruption.ts';
import { textContentType, writeText } from './exposition.ts';

/** Short: the work is done, and whoever waits for the command must not wait for a gateway. */
const pushTimeoutMs = 5000;

/** A Pushgateway says in a line what it does not like. */
const maxReasonLength = 300;

/**
 * Hands a run's facts to a Pushgateway. Each job has a group of its own, to which the facts are added, so that what they
 * do not say (the last success, after a failure) stays. Each repository has one, which is replaced. The names of the groups
 * never change from run to run. Anything but a 2xx answer to each is `push-failed`; so is the end of five seconds.
 */
export async function pushToGateway(gateway: string, groups: readonly FactGroup[], signal: AbortSignal): Promise<void> {
  throwIfInterrupted(signal);
  const limit = AbortSignal.timeout(pushTimeoutMs);
  const either = AbortSignal.any([signal, limit]);
  try {
    // Each is delivered that can be, whatever becomes of the others.
    const pushes = await Promise.allSettled(groups.map((group) => push(new URL(gateway), group, either)));
    for (const pushed of pushes) if (pushed.status === 'rejected') throw pushed.reason;
  } catch (error) {
    throwIfInterrupted(signal);
    if (isWardenError(error)) throw error;
    const reason = limit.aborted ? `no answer within ${pushTimeoutMs / 1000} s` : describeThrown(error);
    throw pushFailed(new URL(gateway), reason, {}, error);
  }
}

async function push(gateway: URL, group: FactGroup, signal: AbortSignal): Promise<void> {
  const answer = await send(groupUrl(gateway, group), signal, {
    method: group.about === 'job' ? 'POST' : 'PUT',
    headers: { 'content-type': textContentType, 'user-agent': 'etcd-warden', ...credentialsOf(gateway) },
    body: writeText(group.families),
  });
  const { statusCode = 0 } = answer;
  const reason = await readReason(answer);
  // A redirect is no success either: metrics are meant for this gateway.
  if (statusCode >= 200 && statusCode < 300) return;
  const status = `it answered with HTTP status ${statusCode}, expected 200 or 202`;
  throw pushFailed(gateway, reason === '' ? status : `${status}: ${reason}`, { httpStatus: statusCode });
}

interface Push {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Not by `fetch`, which refuses to speak to some ports. Over a connection that ends with the answer. */
async function send(url: URL, signal: AbortSignal, { method, headers, body }: Push): Promise<IncomingMessage> {
  const request = url.protocol === 'https:' ? requestOverTls : requestPlainly;
  const sent = request(url, { method, headers, signal, agent: false });
  sent.end(body);
  try {
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    return answer;
  } finally {
    // What ends the answer is told by reading it.
    sent.on('error', () => undefined);
  }
}

/**
 * Without a pod, a host or a time in it: each of those would leave a group behind for ever. Repositories are no job's: what
 * one command lists replaces what another one listed before.
 */
function groupUrl(gateway: URL, group: FactGroup): URL {
  const key = group.about === 'job' ? { job: group.job } : { job: 'etcd-warden', repository: group.repository };
  const labels = Object.entries({ ...key, cluster: group.cluster });
  const path = labels.map(([name, value]) => `/${name}/${encodeURIComponent(value)}`).join('');
  const url = new URL(gateway);
  // They go into a header.
  url.username = '';
  url.password = '';
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/metrics${path}`;
  return url;
}

function credentialsOf({ username, password }: URL): { authorization?: string } {
  if (username === '' && password === '') return {};
  const credentials = `${decode(username)}:${decode(password)}`;
  return { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A percent sign that stands for itself.
    return text;
  }
}

/** As much of the answer as a message has room for. */
async function readReason(answer: IncomingMessage): Promise<string> {
  let text = '';
  answer.setEncoding('utf8');
  for await (const chunk of answer as AsyncIterable<string>) {
    text += chunk;
    if (text.length > maxReasonLength) break;
  }
  return text.slice(0, maxReasonLength).replaceAll(/\s+/g, ' ').trim();
}

function pushFailed(gateway: URL, reason: string, details: ErrorDetails, cause?: unknown): WardenError {
  // Neither credentials nor a query, which may hold some too.
  const shown = `${gateway.origin}${gateway.pathname}`;
  return new WardenError('push-failed', `metrics could not be pushed to ${shown}: ${reason}`, {
    details: { gateway: shown, ...details },
    cause,
  });
}
