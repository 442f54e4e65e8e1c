import type { Config } from '../../config/schema.ts';
import type { Log } from '../../ports/log.ts';
import type { HttpRoutes } from '../http/routes.ts';
import { type HttpServer, startHttpServer } from '../http/server.ts';

/** What the daemon serves, at the address that the configuration of the moment names. */
export class Service implements AsyncDisposable {
  readonly #config: () => Config['http'];
  readonly #routes: HttpRoutes;
  readonly #log: Log;
  #server: HttpServer | undefined;

  constructor(config: () => Config['http'], routes: HttpRoutes, log: Log) {
    this.#config = config;
    this.#routes = routes;
    this.#log = log;
  }

  /**
   * Serves at `listen` from now on, before the address that was served until now is given up. Rejects with
   * `http-listen-failed` where that cannot be had; then everything stays as it was.
   */
  async listen({ host, port }: Config['http']['listen']): Promise<string> {
    const log = this.#log;
    const config = this.#config;
    const before = this.#server;
    this.#server = await startHttpServer({
      host,
      port,
      routes: this.#routes,
      // Asked at each request.
      get statusPage() {
        return config().statusPage;
      },
      onError: (error, path) => log.warn('a request was not answered', { url: path, reason: error.message }),
    });
    await before?.[Symbol.asyncDispose]();
    return this.#server.address;
  }

  /** Rejects where the server stops by itself; one that was left for another address is no reason. */
  async failed(): Promise<never> {
    for (let server = this.#server; server !== undefined;) {
      const error = await server.closed;
      if (error !== undefined) throw error;
      if (server === this.#server) break;
      server = this.#server;
    }
    return new Promise<never>(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
  }
}
