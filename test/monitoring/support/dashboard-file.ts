import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

export interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat: string;
  readonly datasource: { readonly uid: string };
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: { readonly uid: string };
  /** Rows have none. */
  readonly targets?: readonly Target[];
}

export interface Dashboard {
  readonly uid: string;
  readonly schemaVersion: number;
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly definition?: string }[];
  };
  readonly panels: readonly Panel[];
}

export function readDashboard(): Dashboard {
  return JSON.parse(
    readFileSync(resolve(import.meta.dirname, '../../../monitoring/dashboard.json'), 'utf8'),
  ) as Dashboard;
}

/** Each query of a dashboard with the panel that it belongs to. */
export function queriesOf({ panels }: Dashboard): (Target & { readonly panel: string })[] {
  return panels.flatMap(({ title, targets = [] }) => targets.map((target) => ({ ...target, panel: title })));
}
