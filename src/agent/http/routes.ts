import type { AgentStatus } from '../agent-status.ts';

/** What the agent has to say over HTTP. Each is called anew for each request and changes nothing. */
export interface HttpRoutes {
  /** `accept` is the header of the request, empty without one: Prometheus tells there which formats it reads. */
  metrics(accept: string): Awaitable<MetricsText>;
  /** Not ok: the agent itself is stuck, and only a restart helps. Nothing that etcd or a store does is a reason. */
  livez(): Awaitable<Health>;
  /** Not ok: something is wrong. It is told in the body only, see `answerReadyz`. */
  readyz(): Awaitable<Health>;
  status(): Awaitable<AgentStatus>;
}

type Awaitable<T> = T | Promise<T>;

export interface MetricsText {
  readonly contentType: string;
  readonly body: string;
}

export interface Health {
  readonly ok: boolean;
  /** Why; may hold texts of others. */
  readonly lines: readonly string[];
}
