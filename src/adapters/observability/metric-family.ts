import type { LabelValues } from './label-values.ts';

export interface CataloguedFamily<Label extends string = string> {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** A sentence, with the unit. */
  readonly help: string;
  readonly labels: Readonly<Record<Label, LabelValues>>;
  /** Upper bounds; the last one, +Inf, is understood. */
  readonly buckets?: readonly number[];
  /** With whose facts a one-shot run hands it on: those of every job, of the job `backup`, of a repository; of nobody. */
  readonly handedOnWith?: 'job' | 'backup' | 'repository';
}

type Extras = Pick<CataloguedFamily, 'handedOnWith'>;

export function counter<Label extends string = never>(name: string, help: string, labels: Record<Label, LabelValues>) {
  return { name, type: 'counter', help, labels } as const satisfies CataloguedFamily<Label>;
}

export function gauge<Label extends string = never>(
  name: string,
  help: string,
  labels: Record<Label, LabelValues>,
  extras: Extras = {},
) {
  return { name, type: 'gauge', help, labels, ...extras } as const satisfies CataloguedFamily<Label>;
}

export function histogram<Label extends string = never>(
  name: string,
  help: string,
  labels: Record<Label, LabelValues>,
  buckets: readonly number[],
) {
  return { name, type: 'histogram', help, labels, buckets } as const satisfies CataloguedFamily<Label>;
}
