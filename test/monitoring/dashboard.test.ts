import { describe, expect, it } from 'vitest';
import { type Panel, queriesOf, readDashboard } from './support/dashboard-file.ts';
import { findUnknown } from './support/known-metrics.ts';

const dashboard = readDashboard();
const { panels } = dashboard;
const queries = queriesOf(dashboard);

describe('The dashboard', () => {
  it('begins with whether the backups are safe, and then goes into detail', () => {
    expect(panels[0]?.type).toBe('row');
    expect(panels.filter(({ type }) => type === 'row').map(({ title }) => title)).toEqual([
      'Is it safe?',
      'Jobs',
      'Repositories',
      'Members',
      'Defragmentation',
      'Certificates',
      'Agents',
    ]);
  });

  it('lets a reader choose the Prometheus and the cluster, and asks nobody else', () => {
    expect(dashboard.uid).toBe('etcd-warden');
    expect(dashboard.templating.list.map(({ name, type }) => [name, type])).toEqual([
      ['datasource', 'datasource'],
      ['cluster', 'query'],
    ]);
    for (const { title, targets, datasource } of panels) {
      if (targets === undefined) continue;
      expect([title, datasource?.uid]).toEqual([title, '${datasource}']);
      expect([title, targets.map((target) => target.datasource.uid)]).toEqual([
        title,
        targets.map(() => '${datasource}'),
      ]);
    }
  });

  it('has panels that explain themselves and do not overlap', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const panel of panels) {
      const { x, w } = panel.gridPos;
      expect([panel.title, x >= 0 && x + w <= 24]).toEqual([panel.title, true]);
      const covered = panels.filter((other) => other.id < panel.id && overlap(panel, other)).map(({ title }) => title);
      expect([panel.title, covered]).toEqual([panel.title, []]);
      if (panel.type === 'row') continue;
      expect([panel.title, panel.description]).toEqual([panel.title, expect.stringMatching(/^[A-Z`].{15,}\.$/)]);
      const refIds = panel.targets?.map(({ refId }) => refId) ?? [];
      expect([panel.title, refIds.length > 0, new Set(refIds).size]).toEqual([panel.title, true, refIds.length]);
    }
  });

  it.each(queries)(
    '$panel, $refId: asks for nothing that nobody exports, and only of the chosen cluster',
    ({ expr }) => {
      expect(findUnknown(expr)).toEqual([]);
      const selectors = [...expr.matchAll(/\b(?:etcd_warden|process)_[\w:]+(\{[^}]*\})?/g)].filter(
        // What a query is only joined with is of the same cluster already.
        ([text], index) => !(index > 0 && text === 'etcd_warden_build_info'),
      );
      for (const [text] of selectors) expect(text).toContain('cluster="$cluster"');
    },
  );

  it('finds its clusters', () => {
    const { definition = '' } = dashboard.templating.list.find(({ name }) => name === 'cluster') ?? {};
    expect(definition).toBe('label_values(etcd_warden_build_info, cluster)');
    expect(findUnknown(definition)).toEqual([]);
  });
});

function overlap({ gridPos: one }: Panel, { gridPos: other }: Panel): boolean {
  return one.x < other.x + other.w && other.x < one.x + one.w && one.y < other.y + other.h && other.y < one.y + one.h;
}
