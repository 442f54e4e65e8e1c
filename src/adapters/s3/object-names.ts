/** The one place where keys of the store become names in the bucket and back. */
export class ObjectNames {
  /** Ends in a slash unless it is empty, so that a neighbour `prod-2` is never below `prod`. */
  readonly prefix: string;

  constructor(configuredPrefix: string) {
    const parts = configuredPrefix.split('/').filter((part) => part !== '');
    this.prefix = parts.map((part) => `${part}/`).join('');
  }

  /** The name in the bucket of a key or of a prefix of keys. */
  nameOf(key: string): string {
    return this.prefix + key;
  }

  /** The key of a name in the bucket; undefined for the folder marker that some tools put at the prefix itself. */
  keyOf(name: string): string | undefined {
    return name.length > this.prefix.length && name.startsWith(this.prefix)
      ? name.slice(this.prefix.length)
      : undefined;
  }
}
