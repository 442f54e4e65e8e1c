import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { readAuthorities } from './certificate-authorities.ts';
import { provideHomeFolder } from './home-folder.ts';

/** How AWS services, and servers that speak like them, are reached. */
export interface Route {
  /** PEM file with further certificate authorities to trust. */
  readonly caFile?: string | undefined;
  /** URL of a proxy. Where unset: HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the environment. */
  readonly proxy?: string | undefined;
}

export interface Agents extends Disposable {
  readonly httpAgent: HttpAgent;
  readonly httpsAgent: HttpsAgent;
}

/** What both clients are made with. Node's agents reach proxies; the SDK by itself reads none of the proxy variables. */
export function createAgents({ caFile, proxy }: Route): Agents {
  provideHomeFolder();
  const { HTTP_PROXY, HTTPS_PROXY, NO_PROXY, http_proxy, https_proxy, no_proxy } = process.env;
  const proxyEnv =
    proxy === undefined
      ? { HTTP_PROXY, HTTPS_PROXY, NO_PROXY, http_proxy, https_proxy, no_proxy }
      : { HTTP_PROXY: proxy, HTTPS_PROXY: proxy, NO_PROXY, no_proxy };
  const ca = caFile === undefined ? {} : { ca: readAuthorities(caFile) };
  const httpAgent = new HttpAgent({ keepAlive: true, proxyEnv });
  const httpsAgent = new HttpsAgent({ keepAlive: true, proxyEnv, ...ca });
  return {
    httpAgent,
    httpsAgent,
    [Symbol.dispose]() {
      httpAgent.destroy();
      httpsAgent.destroy();
    },
  };
}
