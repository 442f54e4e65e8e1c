import { expect } from 'vitest';
import { refusalOf, type Values } from './render-chart.ts';

/** What is wrong; the values; the key that the sentence names; the cure that it names. */
export type WrongValues = readonly [string, Values, string, string];

/** Helm refuses the values, and one line of what it says names both. */
export async function expectRefusal(
  values: Values,
  key: string,
  cure: string,
  helm: 'helm' | 'helm3' = 'helm',
): Promise<void> {
  const sentences = (await refusalOf(values, { helm })).split('\n');
  const sentence = sentences.find((line) => line.includes(key)) ?? sentences.join('\n');
  expect(sentence).toContain(key);
  expect(sentence).toContain(cure);
}
