import type { Registry } from 'prom-client';
import type { CertificateUse, Metrics } from '../../ports/metrics.ts';
import { fact, tally, toSeconds } from './instruments.ts';
import { catalogue } from './metric-catalogue.ts';

type AgentEvents = Pick<Metrics, 'certificatesRead' | 'clockJumped' | 'configReloaded'>;

export function createAgentMetrics(registry: Registry, version: string): AgentEvents {
  fact(registry, catalogue.buildInfo).set({ version }, 1);
  const expiry = fact(registry, catalogue.certificateExpiry);
  const jumps = tally(registry, catalogue.clockJumps);
  const reloadSuccessful = fact(registry, catalogue.configReloadSuccessful);
  const reloadTime = fact(registry, catalogue.configReloadTime);
  jumps.add({}, 0);

  return {
    certificatesRead: (certificates) => {
      const first = new Map<CertificateUse, Date>();
      for (const { use, expiresAt } of certificates) {
        const other = first.get(use);
        if (other === undefined || expiresAt < other) first.set(use, expiresAt);
      }
      expiry.clear();
      for (const [use, expiresAt] of first) expiry.set({ use }, toSeconds(expiresAt));
    },
    clockJumped: () => jumps.add({}, 1),
    configReloaded: ({ ok, at }) => {
      reloadSuccessful.set({}, ok ? 1 : 0);
      if (ok) reloadTime.set({}, toSeconds(at));
    },
  };
}
