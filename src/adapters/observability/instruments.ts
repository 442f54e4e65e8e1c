import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { CataloguedFamily } from './metric-family.ts';

type Labels<Label extends string> = Readonly<Record<Label, string>>;

/** A count that events add to. */
export interface Tally<Label extends string> {
  /** What is no number, or negative, adds nothing; the series is there from the first call. */
  add(labels: Labels<Label>, amount: number): void;
  remove(labels: Labels<Label>): void;
}

/** A fact that may be unknown: then it is absent, for 0 would be a lie that alerts believe. */
export interface Fact<Label extends string> {
  set(labels: Labels<Label>, value: number | undefined): void;
  /** Nothing is known any more. */
  clear(): void;
}

/** A distribution; a series is there from its first value. */
export interface Spread<Label extends string> {
  observe(labels: Labels<Label>, value: number): void;
  remove(labels: Labels<Label>): void;
}

/*
 * prom-client throws at a number that it does not like. Whoever tells an event has better things to do than to fail for
 * it, so such a number is turned away here.
 */

export function tally<Label extends string>(registry: Registry, family: CataloguedFamily<Label>): Tally<Label> {
  const counter = new Counter<Label>(optionsOf(registry, family));
  return {
    add: (labels, amount) => counter.inc(labels, Number.isFinite(amount) && amount > 0 ? amount : 0),
    remove: (labels) => counter.remove(labels),
  };
}

export function fact<Label extends string>(registry: Registry, family: CataloguedFamily<Label>): Fact<Label> {
  const gauge = new Gauge<Label>(optionsOf(registry, family));
  const clear = (): void => {
    gauge.reset();
    // One without labels begins at 0.
    if (Object.keys(family.labels).length === 0) gauge.remove();
  };
  clear();
  return {
    set: (labels, value) => {
      if (value === undefined || !Number.isFinite(value)) gauge.remove(labels);
      else gauge.set(labels, value);
    },
    clear,
  };
}

export function spread<Label extends string>(registry: Registry, family: CataloguedFamily<Label>): Spread<Label> {
  const histogram = new Histogram<Label>({ ...optionsOf(registry, family), buckets: [...(family.buckets ?? [])] });
  return {
    observe: (labels, value) => {
      if (Number.isFinite(value) && value >= 0) histogram.observe(labels, value);
    },
    remove: (labels) => histogram.remove(labels),
  };
}

function optionsOf<Label extends string>(registry: Registry, { name, help, labels }: CataloguedFamily<Label>) {
  return { name, help, labelNames: Object.keys(labels) as Label[], registers: [registry] };
}

export function toSeconds(time: Date | undefined): number | undefined {
  return time === undefined ? undefined : time.getTime() / 1000;
}
