import { describeOptions, type Option } from './options.ts';

const introduction = `\
# Configuration

<!-- Written by \`npm run generate:docs\` from src/config/schema.ts. -->

One YAML file describes one cluster and where its backups go. \`config.example.yaml\` shows every option in its place;
\`etcd-warden config check\` names everything that is wrong with a file, with line and column, and
\`etcd-warden config print\` shows what is in effect. \`etcd-warden config schema\` prints a JSON schema for editors.

## How values are written

| kind | written | |
|---|---|---|
| duration | \`500ms\` \`30s\` \`15m\` \`6h\` \`7d\` | a whole number and one unit |
| size | \`512B\` \`64KiB\` \`64MiB\` \`8GiB\` \`1TiB\` | a whole number and one unit, powers of 1024; \`0\` needs none. \`8G\`, \`8GB\` and \`8Gi\` are refused: they mean different sizes to different tools |
| percentage | \`80%\` \`12.5%\` | from \`0%\` to \`100%\` |
| share of the quota | \`10%ofQuota\` | of a member's backend quota |
| path | \`/etc/etcd-warden/ca.crt\` | absolute |
| schedule | \`"15 3 * * *"\` | five cron fields: minute, hour, day of month, month, day of week. Day of month and day of week cannot both be set; a step must fit its range |

The file is YAML 1.2 of at most 1 MiB: \`yes\`, \`no\` and \`off\` are text, a key cannot be given twice, and \`<<\` merges
nothing. An option without a value (\`tls:\`) counts as not given. An unknown option is an error.

**The environment.** In values, \`\${NAME}\` becomes the environment variable NAME, and \`\${NAME:-default}\` the default
where NAME is not set or empty. A variable without default that is not set is an error. This happens after the file was
parsed, so a variable can never add an option; where an option wants a number, or true or false, the text is read as one.
A value that becomes empty counts as not given. \`$\${\` stands for \`\${\` itself. Keys are left as they are.

**Secrets** are never in the file: options that end in \`File\` name the file that holds one.
`;

/** The text of docs/configuration.md. */
export function renderReference(): string {
  return `${introduction}\n${describeOptions().map(renderChapter).join('\n')}`;
}

function renderChapter(option: Option): string {
  const rows = option.variants.length === 0 ? [renderRow(option, '')] : renderRows(option);
  const table = ['| option | default | expected | why |', '|---|---|---|---|', ...rows].join('\n');
  return `## ${option.key}\n\n${option.reason}\n\n${table}\n`;
}

/** The rows of all options below one. Where a section comes in variants, `type` says for which a row holds. */
function renderRows(option: Option): readonly string[] {
  return option.variants.flatMap(({ type, options }) =>
    options.flatMap((child) => [
      renderRow(child, type === undefined || child.key === 'type' ? '' : ` (${type})`),
      ...renderRows(child),
    ]),
  );
}

function renderRow(option: Option, remark: string): string {
  const isSection = option.variants.length > 0 && !option.isList;
  const expected = isSection ? 'a section' : option.expects;
  const cells = [
    `\`${option.path}\`${remark}`,
    isSection && !option.isRequired ? '' : defaultOf(option),
    expected,
    option.reason,
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
}

function defaultOf({ isRequired, defaultValue }: Option): string {
  if (defaultValue === undefined) return isRequired ? '**required**' : 'absent';
  return `\`${JSON.stringify(defaultValue)}\``;
}
