import type { ErrorCode } from '../../errors/table.ts';
import { isWardenError, WardenError } from '../../errors/warden-error.ts';

/** How a gRPC call ended, from `grpc-status` and `grpc-message`. */
export interface CallStatus {
  readonly code: number;
  readonly message: string;
}

/** Numbers of https://grpc.github.io/grpc/core/md_doc_statuscodes.html that etcd uses and we tell apart. */
const grpcStatus = { ok: 0, deadlineExceeded: 4, permissionDenied: 7, unavailable: 14, unauthenticated: 16 };

/** etcd tells most of its errors apart by text only. Source: etcd api/v3rpc/rpctypes/error.go. */
const codesByText: readonly (readonly [RegExp, ErrorCode])[] = [
  [/invalid auth token|revision of auth store is old|authentication failed/, 'etcd-auth-failed'],
  [/user name is empty/, 'etcd-auth-required'],
  // 3.5 sends this one with status Unknown and the prefix "auth:" in places. What a file system denies is another matter.
  [/(?:etcdserver|auth): permission denied/, 'etcd-permission-denied'],
  [/required revision has been compacted/, 'etcd-compacted'],
  [/required revision is a future revision/, 'etcd-future-revision'],
  [/no leader|leader changed|previous leader failure|unhealthy cluster/, 'etcd-no-leader'],
  // "request timed out, leader transfer took too long": it was given up.
  [/leader transfer took too long/, 'etcd-call-failed'],
  [/request timed out/, 'etcd-deadline'],
  // 3.5 sends this one with status Unavailable.
  [/not supported for learner/, 'etcd-call-failed'],
];

const codesByStatus: ReadonlyMap<number, ErrorCode> = new Map([
  [grpcStatus.deadlineExceeded, 'etcd-deadline'],
  [grpcStatus.permissionDenied, 'etcd-permission-denied'],
  [grpcStatus.unavailable, 'etcd-unreachable'],
  [grpcStatus.unauthenticated, 'etcd-auth-failed'],
]);

/** The error for a call that etcd answered with a status other than OK. */
export function callFailed(call: string, endpoint: string, status: CallStatus): WardenError {
  const byText = codesByText.find(([text]) => text.test(status.message));
  const code = byText?.[1] ?? codesByStatus.get(status.code) ?? 'etcd-call-failed';
  const said = status.message === '' ? 'no message' : status.message;
  const wanted = code === 'etcd-permission-denied' ? '; this call needs a user with the root role' : '';
  return new WardenError(code, `${endpoint} refused ${call}: ${said} (gRPC status ${status.code})${wanted}`, {
    details: { endpoint, call, grpcStatus: status.code, grpcMessage: status.message },
  });
}

/** The error where something else than etcd's client API answered; `found` says what. */
export function notEtcd(url: string, found: string, cause?: unknown): WardenError {
  const message = `something answers at ${url}, but not etcd's client API (${found}); 2379 is usually its client port, 2380 its peer port`;
  const hint = "Check cluster.endpoints and cluster.endpointMap: they must lead to etcd's client port, usually 2379.";
  return new WardenError('etcd-answer-invalid', message, { cause, hint, details: { endpoint: url } });
}

/**
 * Whether etcd no longer takes a token that it gave: it expired, the member restarted (simple tokens live in memory),
 * users or roles changed since, or authentication was turned on after we began without one.
 */
export function isTokenRefused(error: unknown): boolean {
  if (!isWardenError(error, 'etcd-auth-failed', 'etcd-auth-required')) return false;
  return /invalid auth token|revision of auth store is old|user name is empty/.test(
    String(error.details['grpcMessage']),
  );
}

/** What a call rejects with once its signal was aborted: the reason given where it is one of ours. */
export function interruptedBy(signal: AbortSignal): WardenError {
  const reason: unknown = signal.reason;
  if (isWardenError(reason)) return reason;
  return new WardenError('interrupted', 'The run was told to stop.', { cause: reason });
}
