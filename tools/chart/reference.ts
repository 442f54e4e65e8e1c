import { parse } from 'yaml';
import { type ChartValue, readChartValues } from './values-file.ts';

interface Platform {
  readonly says: string;
  readonly config: { readonly cluster?: { readonly endpoints?: readonly string[]; readonly tls?: object } };
  readonly hostFiles: readonly { readonly path: string }[];
  readonly etcd?: Readonly<Record<string, string>>;
  readonly pod: {
    readonly hostNetwork: boolean;
    readonly securityContext: { readonly runAsUser?: number };
    readonly affinity?: object;
  };
}

/** The produced part of the chart's README: what each platform fills in, and every value. */
export function renderChartReference(values: string, platforms: string): string {
  return [
    '### Platforms\n',
    renderTable(
      ['platform', 'is about', 'endpoints', 'network of the host', 'runs as', 'on nodes with'],
      Object.entries(parse(platforms) as Record<string, Platform>).map(describePlatform),
    ),
    '### Values\n',
    renderTable(['value', 'default', 'what it is'], readChartValues(values).flatMap(describeValue)),
  ].join('\n');
}

function describePlatform([name, { says, config, pod }]: [string, Platform]): string[] {
  const user = pod.securityContext.runAsUser;
  const [label] = /node-role[^"]+/.exec(JSON.stringify(pod.affinity ?? {})) ?? [];
  return [
    `\`${name}\``,
    says,
    (config.cluster?.endpoints ?? []).map(code).join(' '),
    pod.hostNetwork ? 'yes' : 'no',
    user === undefined ? 'whom the namespace says' : user === 0 ? 'root without capabilities' : String(user),
    label === undefined ? 'any' : code(label),
  ];
}

function describeValue(value: ChartValue, index: number, all: readonly ChartValue[]): string[][] {
  const isSection = all[index + 1]?.path.length === value.path.length + 1;
  // A section without a comment has nothing to say that its keys do not.
  if (isSection && value.description === '') return [];
  // What the jobs have in common is said where the first one is.
  const first = ['jobs', 'backup', ...value.path.slice(2)].join('.');
  const said = value.description || all.find(({ path }) => path.join('.') === first)?.description;
  return [[code(value.path.join('.')), isSection ? '' : code(JSON.stringify(value.default)), said ?? '']];
}

function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |\n`;
  return [line(head), `|${'---|'.repeat(head.length)}\n`, ...rows.map(line)].join('');
}

function code(text: string): string {
  return `\`${text}\``;
}
