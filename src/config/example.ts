import { stringify } from 'yaml';
import { chooseVariant, describeOptions, type Option } from './options.ts';

/** What config.example.yaml shows in place of defaults: a cluster backed up to a bucket and a directory. */
const shown: unknown = {
  cluster: {
    tls: {
      caFile: '/etc/etcd-warden/etcd/ca.crt',
      certFile: '/etc/etcd-warden/etcd/client.crt',
      keyFile: '/etc/etcd-warden/etcd/client.key',
    },
  },
  encryption: {
    recipients: [{ type: 'aws-kms' }, { type: 'aes-key-file' }, { type: 'rsa-public-key' }],
  },
  aws: { region: 'eu-central-1' },
  repositories: [
    { name: 'primary', store: { type: 's3' } },
    { name: 'local', store: { type: 'directory' }, retention: { keepLast: 6 } },
  ],
  schedules: {
    backup: { cron: '*/30 * * * *' },
    verify: { cron: '15 3 * * *' },
    drill: { cron: '30 4 * * 0' },
    prune: { after: 'backup' },
    defrag: { cron: '*/10 * * * *' },
  },
};

const introduction = `\
# The configuration of etcd-warden: every option with its reason and its default.
# Written by \`npm run generate:docs\` from src/config/schema.ts; docs/configuration.md holds the same as tables.
#
# A line that begins with # and no blank after it is an option that is absent unless you set it.
# \${NAME} and \${NAME:-default} are taken from the environment. Secrets are named by the files they are in.
`;

/** The text of config.example.yaml. It is a valid configuration. */
export function renderExample(): string {
  const described = new Set<string>();
  const options = describeOptions();
  const lines = options.flatMap((option) => ['', ...renderOption(option, valueOf(shown, option.key), described)]);
  return `${introduction}${lines.join('\n')}\n`;
}

/**
 * The lines of an option at indentation 0. `value` is what the example shows there. Options are described where they
 * are first met: later items of a list show only what is special to them.
 */
function renderOption(option: Option, value: unknown, described: Set<string>): readonly string[] {
  const isNew = !described.has(option.path);
  described.add(option.path);
  const written = value ?? option.defaultValue ?? (option.isRequired ? option.example : undefined);
  const comment = isNew ? describe(option, written) : [];
  const body = renderBody(option, written ?? option.example, described);
  return [...comment, ...(written === undefined ? body.map((line) => `#${line}`) : body)];
}

function renderBody(option: Option, value: unknown, described: Set<string>): readonly string[] {
  if (option.variants.length === 0 || (Array.isArray(value) && value.length === 0)) {
    return [`${option.key}: ${writeFlow(value)}`];
  }
  if (!option.isList) return [`${option.key}:`, ...indent(renderSection(option, value, described), '  ')];
  const items = Array.isArray(value) ? value.map((item: unknown) => renderSection(option, item, described)) : [];
  return [`${option.key}:`, ...items.flatMap((item) => renderItem(item))];
}

/** A section's options: all of them where it is new, else those that it must or does set. */
function renderSection(option: Option, value: unknown, described: Set<string>): readonly string[] {
  const variant = chooseVariant(option, valueOf(value, 'type'));
  const scope = `${option.path} ${variant?.type ?? ''}`;
  const isNew = !described.has(scope);
  described.add(scope);
  if (isNew) variant?.options.forEach(({ path }) => described.delete(path));
  return (variant?.options ?? [])
    .filter(({ key, isRequired }) => isNew || isRequired || valueOf(value, key) !== undefined)
    .flatMap((child) => renderOption(child, valueOf(value, child.key), described));
}

/** The dash of a list item stands before its first option; what is said about that option stands above the dash. */
function renderItem(lines: readonly string[]): readonly string[] {
  const first = lines.findIndex((line) => !line.startsWith('#'));
  return indent([...lines.slice(0, first), `- ${lines[first]}`, ...indent(lines.slice(first + 1), '  ')], '  ');
}

function writeFlow(value: unknown): string {
  return stringify(value, { lineWidth: 0, collectionStyle: 'flow' })
    .trim()
    .replaceAll(/([[{]) | ([\]}])/g, '$1$2');
}

function describe(option: Option, written: unknown): readonly string[] {
  if (option.reason === '') return [];
  const facts = option.variants.length > 0 ? [] : [option.expects];
  const isDefaultShown = JSON.stringify(written) === JSON.stringify(option.defaultValue);
  if (option.variants.length === 0 && option.defaultValue !== undefined && !isDefaultShown) {
    facts.push(`default ${writeFlow(option.defaultValue)}`);
  }
  if (isDefaultShown && option.example !== undefined && option.example !== written) {
    facts.push(`for example ${writeFlow(option.example)}`);
  }
  const inBrackets = facts.length === 0 ? '' : ` [${facts.join('; ')}]`;
  return wrap(`${option.reason}${inBrackets}`, 100).map((line) => `# ${line}`);
}

function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length >= width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

function indent(lines: readonly string[], by: string): readonly string[] {
  return lines.map((line) => `${by}${line}`);
}

function valueOf(section: unknown, key: string): unknown {
  return typeof section === 'object' && section !== null ? Reflect.get(section, key) : undefined;
}
