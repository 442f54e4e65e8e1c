import { describe, expect, it } from 'vitest';
import { runPromtool } from '../support/prometheus.ts';
import { stories } from './stories/all.ts';
import { alertFile, readRules } from './support/alert-file.ts';
import { tellStory } from './support/story.ts';

describe('The alerts', () => {
  it('are rules that Prometheus reads, with descriptions that it can write', async () => {
    const { alerts, recordings } = readRules();
    const { status, output } = await runPromtool(['check', 'rules', alertFile]);
    expect([status, output]).toEqual([
      0,
      expect.stringContaining(`SUCCESS: ${alerts.length + recordings.length} rules found`),
    ]);
  });

  // BC-16
  it.concurrent.each(stories)('$title', async (story) => {
    expect(await tellStory(story)).toBe('');
  });
});
