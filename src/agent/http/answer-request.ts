import { describeThrown } from '../../errors/warden-error.ts';
import { type Answer, sentence } from './answer.ts';
import { answerLivez, answerReadyz } from './health.ts';
import { renderStatusPage } from './page/page.ts';
import type { Health, HttpRoutes } from './routes.ts';
import { statusToJson } from './status-json.ts';

export interface AskedRequest {
  readonly method: string;
  /** As in the request line: a path with a query, or a whole URL from a proxy. */
  readonly url: string;
  readonly accept: string;
}

export interface AnswerOptions {
  readonly routes: HttpRoutes;
  readonly statusPage: boolean;
}

/** Rejects with whatever a route throws, except for /readyz, which always has an answer. */
export async function answerRequest(
  { method, url, accept }: AskedRequest,
  { routes, statusPage }: AnswerOptions,
): Promise<Answer> {
  if (method !== 'GET' && method !== 'HEAD') {
    return { ...sentence(405, 'Only GET and HEAD: nothing can be changed here.'), headers: { Allow: 'GET, HEAD' } };
  }
  const path = pathOf(url);
  switch (path) {
    case '/metrics':
      return { statusCode: 200, ...(await routes.metrics(accept)) };
    case '/livez':
      return answerLivez(await routes.livez());
    case '/readyz':
      return answerReadyz(await readinessOf(routes));
    case '/':
    case '/api/status': {
      if (!statusPage) return sentence(404, 'The status page is turned off: http.statusPage turns it on.');
      const status = await routes.status();
      return path === '/'
        ? { statusCode: 200, contentType: 'text/html; charset=utf-8', body: renderStatusPage(status) }
        : { statusCode: 200, contentType: 'application/json; charset=utf-8', body: statusToJson(status) };
    }
    default:
      return sentence(404, 'There is nothing here. There are /, /api/status, /metrics, /livez and /readyz.');
  }
}

/** Without the query. `//host/x` is a path here, not another host. */
function pathOf(url: string): string {
  return url.startsWith('/') ? url.replace(/[?#].*$/s, '') : (URL.parse(url)?.pathname ?? '');
}

/** A fault in the question whether all is well is one more thing that is wrong, and no reason to say that nobody is ready. */
async function readinessOf(routes: HttpRoutes): Promise<Health> {
  try {
    return await routes.readyz();
  } catch (error) {
    return { ok: false, lines: [`it could not be found out: ${describeThrown(error)}`] };
  }
}
