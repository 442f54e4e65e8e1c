import type { Answer } from './answer.ts';
import { toVisibleText } from './page/visible-text.ts';
import type { Health } from './routes.ts';

/** 503 asks for a restart. */
export function answerLivez({ ok, lines }: Health): Answer {
  return answerHealth(ok ? 200 : 503, [ok ? 'ok' : 'stuck', ...lines]);
}

/**
 * Always 200. The readiness of a sidecar is the readiness of its pod: anything else would take an etcd that serves well out
 * of service because a bucket is down, which is harm done by the very thing that should prevent it.
 */
export function answerReadyz({ ok, lines }: Health): Answer {
  return answerHealth(200, [ok ? 'ok' : 'degraded', ...lines]);
}

function answerHealth(statusCode: number, lines: readonly string[]): Answer {
  const body = lines.map((line) => `${toVisibleText(line)}\n`).join('');
  return { statusCode, contentType: 'text/plain; charset=utf-8', body };
}
