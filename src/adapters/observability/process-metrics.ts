import { readdir, readFile } from 'node:fs/promises';
import { Counter, Gauge, type Registry } from 'prom-client';
import { catalogue } from './metric-catalogue.ts';
import type { CataloguedFamily } from './metric-family.ts';

/**
 * Those of the usual process metrics that tell of a leak or a restart. prom-client's own set has forty series more, and
 * observers of the event loop and of garbage collection that work all the time.
 */
export function createProcessMetrics(registry: Registry): void {
  const startedAtMs = Date.now() - process.uptime() * 1000;
  new Counter({
    ...optionsOf(registry, catalogue.processCpu),
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  readAtScrape(registry, catalogue.processMemory, () => process.memoryUsage.rss());
  readAtScrape(registry, catalogue.processStart, () => startedAtMs / 1000);
  readAtScrape(registry, catalogue.processOpenFds, async () => (await readdir('/proc/self/fd')).length);
  readAtScrape(registry, catalogue.processMaxFds, readMaxFds);
}

type Reading = number | undefined;

/** Absent where it can't be read. */
function readAtScrape(
  registry: Registry,
  family: CataloguedFamily<never>,
  read: () => Reading | Promise<Reading>,
): void {
  new Gauge({
    ...optionsOf(registry, family),
    async collect() {
      const value = await readOrNothing(read);
      if (value === undefined) this.remove();
      else this.set(value);
    },
  });
}

async function readOrNothing(read: () => Reading | Promise<Reading>): Promise<Reading> {
  try {
    return await read();
  } catch {
    return undefined;
  }
}

async function readMaxFds(): Promise<Reading> {
  const limits = await readFile('/proc/self/limits', 'utf8');
  const soft = /^Max open files +(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? undefined : Number(soft);
}

function optionsOf(registry: Registry, { name, help }: CataloguedFamily<never>) {
  return { name, help, registers: [registry] };
}
