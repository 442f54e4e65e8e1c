import { describe, expect, it } from 'vitest';
import { configOf, errorsOf, minimalConfig } from './minimal-config.ts';

describe('the file', () => {
  it.each([
    ['', 'config.yaml:1:1: the file is empty'],
    ['# nothing but a comment\n', 'config.yaml:1:1: the file is empty'],
    ['just text\n', 'config.yaml:1:1: the file must be a map of options'],
    ['- a list\n', 'config.yaml:1:1: the file must be a map of options'],
  ])('is refused if it is %j', (text, error) => {
    expect(errorsOf(text)).toEqual([error]);
  });

  it('is refused if YAML cannot read it, with line and column', () => {
    const errors = errorsOf('cluster:\n  name: [prod\nencryption: none\n');
    expect(errors[0]).toMatch(/^config\.yaml:3:1: not valid YAML: /);
  });

  it('is refused if a key is given twice, wherever that is', () => {
    const text = minimalConfig.replace(
      'encryption: none',
      'encryption: none\nlog:\n  level: info\n  level: debug\nencryption: none',
    );
    expect(errorsOf(text)).toEqual([
      'config.yaml:7:3: the key "level" is given twice',
      'config.yaml:8:1: the key "encryption" is given twice',
    ]);
  });

  it('is refused if it holds more than one document', () => {
    expect(errorsOf(`${minimalConfig}---\n${minimalConfig}`)[0]).toMatch(/^config\.yaml:8:1: not valid YAML: /);
  });

  it('is refused if it is larger than 1 MiB, before it is parsed', () => {
    expect(errorsOf(`${minimalConfig}${'# padding\n'.repeat(110_000)}`)).toEqual([
      'config.yaml:1:1: the file is larger than 1048576 bytes',
    ]);
  });

  it('is refused if aliases would blow it up', () => {
    const level = (index: number) =>
      `a${index}: &a${index} [${Array.from({ length: 9 }, () => `*a${index - 1}`).join(', ')}]\n`;
    const bomb = `a0: &a0 [lol, lol]\n${Array.from({ length: 9 }, (_, index) => level(index + 1)).join('')}`;
    expect(errorsOf(bomb)).toEqual(['config.yaml:1:1: the file uses more than 100 aliases']);
  });

  it.each([
    ['brackets', `a: ${'['.repeat(200_000)}`],
    ['an alias of itself', 'a: &a [*a]\n'],
    ['maps', `a: ${'{a: '.repeat(30)}1${'}'.repeat(30)}\n`],
  ])('is refused if %s nest too deeply', (_, text) => {
    expect(errorsOf(text)[0]).toMatch(/^config\.yaml:\d+:\d+: the file is nested too deeply$/);
  });

  it.each([1, 16, 100, 300, 500, 700])('may nest %i deep without breaking anything but itself', (depth) => {
    const text = `${minimalConfig}log: {level: ${'['.repeat(depth)}${']'.repeat(depth)}}\n`;
    expect(errorsOf(text)).toHaveLength(1);
  });

  it('is not described error by error without end', () => {
    const unknownKeys = Array.from({ length: 3000 }, (_, index) => `key${index}: 1\n`).join('');
    expect(errorsOf(`${minimalConfig}${unknownKeys}`)).toHaveLength(100);
    expect(errorsOf(`a: ${'&a '.repeat(3000)}\n`)).toHaveLength(100);
  });

  it('may share a policy by an alias', () => {
    const config = configOf(
      minimalConfig.replace(
        /repositories:[^]*/,
        `repositories:
  - {name: one, store: {type: directory, path: /one}, retention: &policy {daily: 7}}
  - {name: two, store: {type: directory, path: /two}, retention: *policy}
`,
      ),
    );
    expect(config.repositories.map(({ retention }) => retention.daily)).toEqual([7, 7]);
  });

  it('places what is wrong behind an alias where it is written', () => {
    const text = minimalConfig.replace(
      /repositories:[^]*/,
      `repositories:
  - {name: one, store: {type: directory, path: /one}, retention: &policy {daily: x}}
  - {name: two, store: {type: directory, path: /two}, retention: *policy}
`,
    );
    expect(errorsOf(text)).toEqual([
      'config.yaml:6:82: repositories[0].retention.daily must be an integer ≥ 0, got "x"',
      'config.yaml:6:82: repositories[1].retention.daily must be an integer ≥ 0, got "x"',
    ]);
  });

  it('knows no merge keys', () => {
    const text = `${minimalConfig}log:\n  <<: {level: debug}\n`;
    expect(errorsOf(text)[0]).toMatch(/^config\.yaml:9:3: log\["<<"\] is not a known key/);
    expect(errorsOf(`%YAML 1.1\n---\n${text}`)[0]).toMatch(/log\["<<"\] is not a known key/);
  });

  it('reads yes and off as text, even where a directive asks for YAML 1.1', () => {
    const off = `${minimalConfig.replace('name: prod', 'name: prod\n  metrics: off')}defrag: {moveLeader: yes}\n`;
    const error = 'defrag.moveLeader must be true or false, got "yes"';
    expect(errorsOf(off)).toEqual([`config.yaml:9:22: ${error}`]);
    expect(errorsOf(`%YAML 1.1\n---\n${off}`)).toEqual([`config.yaml:11:22: ${error}`]);
  });

  it('refuses tags that it does not know', () => {
    expect(errorsOf(minimalConfig.replace('prod', '!secret prod'))[0]).toMatch(/^config\.yaml:2:9: not valid YAML: /);
  });

  it('counts a key without a value as absent', () => {
    const config = configOf(`${minimalConfig}schedules:\ndefrag:\n  pause:\n`);
    expect(config.defrag.pause).toEqual({ ms: 60_000 });
    expect(config.source.sections).not.toContain('schedules');
  });

  it('may begin with a byte order mark and have Windows line ends', () => {
    expect(errorsOf(`\ufeff${minimalConfig.replaceAll('\n', '\r\n')}`)).toEqual([]);
  });
});
