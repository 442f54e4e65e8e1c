/** Control and format characters (tabs and line breaks apart), halves of characters: what cannot be seen, or turns the writing direction. */
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** No text of others takes more room than this; the log has the whole of it. */
const maxLength = 1000;

/**
 * Text of others on one line, with everything in it to be seen: a name with a right-to-left override reads
 * `etcd\u202e0` and not as another name.
 */
export function toVisibleText(text: string): string {
  const shown = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
  return shown
    .replaceAll(/[\t\r\n]+/g, ' ')
    .replaceAll(unseen, (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`);
}
