/**
 * Whether an Accept header prefers OpenMetrics 1.0 to Prometheus' text format. Prometheus asks for OpenMetrics first;
 * browsers and curl ask for anything, and get the text. Source: RFC 9110, 12.5.1.
 */
export function prefersOpenMetrics(accept: string | undefined): boolean {
  const ranges = (accept ?? '').split(',').map(readRange);
  const weightOf = (isMeant: (range: Range) => boolean): number =>
    Math.max(0, ...ranges.filter(isMeant).map(({ weight }) => weight));
  const openMetrics = weightOf(
    ({ type, version }) => type === 'application/openmetrics-text' && (version === undefined || version === '1.0.0'),
  );
  const text = weightOf(({ type }) => type === 'text/plain');
  return openMetrics > 0 && openMetrics >= text;
}

interface Range {
  readonly type: string;
  readonly version: string | undefined;
  readonly weight: number;
}

function readRange(text: string): Range {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const named = new Map(parameters.map((parameter) => [parameter.split('=')[0], parameter.split('=')[1]]));
  const weight = Number(named.get('q') ?? 1);
  return { type, version: named.get('version')?.replaceAll('"', ''), weight: Number.isFinite(weight) ? weight : 0 };
}
