import type { Problem } from '../agent-status.ts';

export function danger(text: string, hint: string): Problem {
  return { level: 'danger', text: toSentence(text), hint };
}

export function warning(text: string, hint: string): Problem {
  return { level: 'warning', text: toSentence(text), hint };
}

export const isDanger = ({ level }: Problem): boolean => level === 'danger';

/** Messages of others may bring a full stop of their own, and several lines. */
function toSentence(text: string): string {
  const line = text.replaceAll(/\s*\n\s*/g, '; ').replace(/[.;\s]+$/, '.');
  return `${line.charAt(0).toUpperCase()}${line.slice(1)}`;
}
