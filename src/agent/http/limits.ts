/** What one client may take. Nothing here is large, and nobody sends anything but a short request. */
export interface HttpLimits {
  /** A connection that has not sent its request by then is ended: one that never says a word as well. */
  readonly requestTimeoutMs: number;
  /** From the request to the last byte that the client takes. */
  readonly answerTimeoutMs: number;
  /** Longer than the usual interval of a scrape, so that Prometheus can keep its connection. */
  readonly keepAliveTimeoutMs: number;
  /** One more, and the oldest gives way: clients that hold connections never keep a probe out. */
  readonly maxConnections: number;
  readonly maxHeaderBytes: number;
  /** What an answer under way has left to be taken while the server closes. */
  readonly closeGraceMs: number;
}

export const defaultHttpLimits: HttpLimits = {
  requestTimeoutMs: 5_000,
  answerTimeoutMs: 30_000,
  keepAliveTimeoutMs: 75_000,
  maxConnections: 128,
  maxHeaderBytes: 8 * 1024,
  closeGraceMs: 500,
};
