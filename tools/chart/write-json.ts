const printWidth = 120;

/** JSON as the formatter of this project writes it: short lists of plain values on one line, everything else opened up. */
export function writeJson(value: unknown): string {
  return `${write(value, '', 0)}\n`;
}

/** `before` is how many characters stand before it on its line. */
function write(value: unknown, indentation: string, before: number): string {
  const inner = `${indentation}  `;
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    const line = `[${items.map((item) => JSON.stringify(item)).join(', ')}]`;
    // A comma may follow.
    if (items.every(isPlain) && before + line.length < printWidth) return line;
    return `[\n${items.map((item) => `${inner}${write(item, inner, inner.length)}`).join(',\n')}\n${indentation}]`;
  }
  if (isPlain(value)) return JSON.stringify(value);
  const entries = Object.entries(value as object).map(([key, part]) => {
    const name = `${inner}${JSON.stringify(key)}: `;
    return `${name}${write(part, inner, name.length)}`;
  });
  return entries.length === 0 ? '{}' : `{\n${entries.join(',\n')}\n${indentation}}`;
}

function isPlain(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}
