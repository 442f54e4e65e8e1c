import { expect, test } from 'vitest';
import { prefersOpenMetrics } from '../../../src/adapters/observability/negotiate-format.ts';

test.each([
  [
    'Prometheus 2',
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
  ],
  [
    'Prometheus 3',
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
  ],
  ['whoever names no version', 'application/openmetrics-text'],
  ['whoever likes both alike', 'text/plain, application/openmetrics-text; version="1.0.0"'],
  ['whoever writes it in capitals', 'Application/OpenMetrics-Text; Version=1.0.0'],
])('%s gets OpenMetrics', (_, accept) => {
  expect(prefersOpenMetrics(accept)).toBe(true);
});

test.each([
  ['nobody in particular', undefined],
  ['an empty header', ''],
  ['curl', '*/*'],
  ['a browser', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'],
  ['a Prometheus that scrapes the text format only', 'text/plain;version=0.0.4;q=1,*/*;q=0.1'],
  ['whoever likes text better', 'application/openmetrics-text;version=1.0.0;q=0.3,text/plain;q=0.5'],
  ['whoever refuses it', 'application/openmetrics-text;version=1.0.0;q=0,*/*'],
  ['whoever knows another version only', 'application/openmetrics-text;version=2.0.0,*/*;q=0.1'],
  ['a broken header', ';;q=,application/openmetrics-text;q=x'],
])('%s gets text', (_, accept) => {
  expect(prefersOpenMetrics(accept)).toBe(false);
});
