import { retryWith } from '../store-layers/retry.ts';

/** Clearing away tries harder than the configured policy may: what stays is paid for and nobody sees it. */
export const cleanupRetry = retryWith({ attempts: 6, firstDelayMs: 100, maxDelayMs: 2000, budgetMs: 15_000 });
