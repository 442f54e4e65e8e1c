import type { AgentStatus } from '../agent-status.ts';

/** What no terminal and no page should be given as it is: control and format characters, and what opens a tag. */
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}<>&]/gu;

/**
 * The same facts as the page: times in ISO 8601, what is not known as null, so that every key is always there. Text of others
 * is escaped so far that neither `curl` on a terminal nor a browser that ignores the content type can be led astray by it.
 */
export function statusToJson(status: AgentStatus): string {
  const text = JSON.stringify(status, (_, value: unknown) => (value === undefined ? null : value), 2);
  return `${text.replaceAll(unsafe, escapeCharacter)}\n`;
}

function escapeCharacter(character: string): string {
  if (character === '\n') return character;
  // A character beyond the first 65,536 is two of them in JSON.
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}
