import { visit, type Scalar } from 'yaml';
import type { ConfigError } from './config-error.ts';
import type { YamlSource } from './yaml-source.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Replaces `${NAME}` and `${NAME:-default}` in the values (not the keys) of a parsed file, in place. Because this comes
 * after parsing, no variable can add an option. The default also stands in for a variable that is empty; a variable
 * without default that is not set is an error. `$${` writes `${`. A value that becomes empty counts as not given.
 * `substituted` are the scalars that were changed: where an option wants a number or a boolean, their text is read as
 * one. `unresolved` are those that could not be, about which there is nothing more to say.
 */
export function substituteEnvironment(
  { document, lines }: YamlSource,
  environment: Environment,
): {
  readonly substituted: ReadonlySet<object>;
  readonly unresolved: ReadonlySet<object>;
  readonly errors: readonly ConfigError[];
} {
  const substituted = new Set<object>();
  const unresolved = new Set<object>();
  const errors: ConfigError[] = [];
  visit(document, {
    Scalar(key, node: Scalar) {
      if (key === 'key' || typeof node.value !== 'string' || !node.value.includes('${')) return;
      const { line, col } = lines.linePos(node.range?.[0] ?? 0);
      const complain = (message: string) => {
        errors.push({ line, column: col, message });
        unresolved.add(node);
      };
      const text = expand(node.value, environment, complain);
      node.value = text === '' ? null : text;
      substituted.add(node);
    },
  });
  return { substituted, unresolved, errors };
}

/** An escape, a reference that is well formed, or the beginning of one that is not. */
const reference = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{/g;

function expand(text: string, environment: Environment, complain: (message: string) => void): string {
  return text.replaceAll(reference, (found: string, name: string | undefined, fallback: string | undefined) => {
    if (found === '$${') return '${';
    if (name === undefined) {
      complain(
        '${ begins a reference to the environment, written ${NAME} or ${NAME:-default}; write $${ for the characters themselves',
      );
      return found;
    }
    const value = environment[name];
    if (value !== undefined && (value !== '' || fallback === undefined)) return value;
    if (fallback !== undefined) return fallback;
    complain(`the environment variable ${name} is not set, and \${${name}} gives no default`);
    return found;
  });
}

/** Text that a variable gave, as the number or boolean that YAML would read it as; undefined if it is neither. */
export function readPlainScalar(text: string, wanted: 'number' | 'boolean'): number | boolean | undefined {
  if (wanted === 'boolean') return text === 'true' ? true : text === 'false' ? false : undefined;
  return /^-?[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}
