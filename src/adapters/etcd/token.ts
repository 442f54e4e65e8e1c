import { WardenError } from '../../errors/warden-error.ts';
import type { Channel } from './channel.ts';
import { isTokenRefused } from './errors.ts';
import { Auth } from './generated/etcd_pb.ts';

/** bcrypt (about 0.1 s) and one round of raft; the rest is patience with a busy disk. */
const authenticateTimeoutMs = 10_000;

export interface Credentials {
  readonly username: string;
  /** Called at each login, so that a password can be changed while the daemon runs. */
  readonly readPassword: () => Promise<string>;
}

/** Holds the token of one user; every member of the cluster takes it. */
export class TokenSource {
  readonly #credentials: Credentials | undefined;
  #token: Promise<string | undefined> | undefined;

  constructor(credentials: Credentials | undefined) {
    this.#credentials = credentials;
  }

  /**
   * Makes a call with the metadata that authenticates it. If etcd no longer takes the token, logs in again over
   * `channel` and makes the call once more: the one case in which a call is repeated.
   */
  async authenticated<T>(
    channel: Channel,
    signal: AbortSignal,
    call: (metadata: Readonly<Record<string, string>>) => Promise<T>,
  ): Promise<T> {
    const credentials = this.#credentials;
    if (credentials === undefined) return call({});
    const used = this.#current(credentials, channel, signal);
    try {
      return await call(asMetadata(await used));
    } catch (error) {
      if (!isTokenRefused(error)) throw error;
      // Of several calls with the same stale token one logs in for all.
      if (this.#token === used) this.#token = undefined;
      return call(asMetadata(await this.#current(credentials, channel, signal)));
    }
  }

  #current(credentials: Credentials, channel: Channel, signal: AbortSignal): Promise<string | undefined> {
    if (this.#token === undefined) {
      const login = authenticate(credentials, channel, signal);
      this.#token = login;
      login.catch(() => {
        if (this.#token === login) this.#token = undefined;
      });
    }
    return this.#token;
  }
}

function asMetadata(token: string | undefined): Readonly<Record<string, string>> {
  return token === undefined ? {} : { token };
}

/** A token, or undefined where authentication is off in this etcd: then it is not needed. */
async function authenticate(
  credentials: Credentials,
  channel: Channel,
  signal: AbortSignal,
): Promise<string | undefined> {
  const name = credentials.username;
  const password = await credentials.readPassword();
  try {
    const options = { timeoutMs: authenticateTimeoutMs, metadata: {} };
    const answer = await channel.unary(Auth.method.authenticate, { name, password }, options, signal);
    return answer.token;
  } catch (error) {
    if (error instanceof WardenError && /authentication is not enabled/.test(String(error.details['grpcMessage'])))
      return undefined;
    throw error;
  }
}
