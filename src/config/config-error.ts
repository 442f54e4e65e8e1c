/** One thing that is wrong in a configuration file. */
export interface ConfigError {
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** A sentence that names the option, what was expected and what was found; never a secret. */
  readonly message: string;
}

/** Of one kind in one section. Nobody reads more, and describing them takes longer the more there are. */
export const mostErrors = 100;

export type OptionPath = readonly PropertyKey[];

/** `config.yaml:14:15: repositories[0].retention.daily must be an integer ≥ 0, got "seven"` */
export function formatConfigError(fileName: string, { line, column, message }: ConfigError): string {
  return `${fileName}:${line}:${column}: ${message}`;
}

/** `repositories[0].store.bucket`; keys that are not plain words are quoted. */
export function formatPath(path: OptionPath): string {
  return path.reduce<string>((written, key) => {
    if (typeof key === 'number') return `${written}[${key}]`;
    const name = String(key);
    if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(name)) return `${written}[${quote(name)}]`;
    return written === '' ? name : `${written}.${name}`;
  }, '');
}

/** Longer texts are cut: a message is a line, whatever was put in the file. */
const longestQuote = 60;

/** Text in double quotes with nothing in it that could move a terminal's cursor or turn its writing direction. */
export function quote(text: string): string {
  const cut = text.length > longestQuote ? `${text.slice(0, longestQuote)}…` : text;
  return JSON.stringify(cut).replaceAll(
    /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
    (character) => String.raw`\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
