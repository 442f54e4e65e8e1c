import { describe, expect, it } from 'vitest';
import { errorsOf, minimalConfig } from './minimal-config.ts';

const adding = (text: string) => errorsOf(`${minimalConfig}${text}\n`);

describe('a key that is not known', () => {
  it.each([
    ['snapshots: {}', 'config.yaml:8:1: snapshots is not a known key; did you mean snapshot?'],
    ['log: {levle: info}', 'config.yaml:8:7: log.levle is not a known key; did you mean log.level?'],
    ['log: {Format: json}', 'config.yaml:8:7: log.Format is not a known key; did you mean log.format?'],
    ['defrag: {coolDown: 1h}', 'config.yaml:8:10: defrag.coolDown is not a known key; did you mean defrag.cooldown?'],
    ['log: {levle:}', 'config.yaml:8:7: log.levle is not a known key; did you mean log.level?'],
    [
      'defrag: {rules: [{usageAbov: 75%}]}',
      'config.yaml:8:19: defrag.rules[0].usageAbov is not a known key; did you mean defrag.rules[0].usageAbove?',
    ],
  ])('%s is told with the nearest one', (text, error) => {
    expect(adding(text)).toContain(error);
  });

  it.each([
    ['retention: {daily: 7}', 'config.yaml:8:1: retention is not a known key; it belongs to repositories[].retention'],
    ['log: {statusPage: true}', 'config.yaml:8:7: log.statusPage is not a known key; it belongs to http.statusPage'],
    ['log: {password: x}', 'config.yaml:8:7: log.password is not a known key; did you mean cluster.auth.passwordFile?'],
  ])('%s is told where it belongs', (text, error) => {
    expect(adding(text)).toEqual([error]);
  });

  it('of another kind of store is told which', () => {
    const text = minimalConfig.replace('path: /var/backups/etcd', 'path: /a, objectLock: {mode: governance}');
    expect(errorsOf(text)).toEqual([
      'config.yaml:7:40: repositories[0].store.objectLock is not a known key; it belongs to repositories[].store.objectLock with type: s3',
    ]);
  });

  it('that resembles none is told with all that are known there', () => {
    expect(adding('log: {xyzzy: 1}')).toEqual([
      'config.yaml:8:7: log.xyzzy is not a known key; known here: level, format',
    ]);
  });

  it.each(['__proto__', 'constructor', 'toString'])('may be %s, which is nothing special', (key) => {
    expect(adding(`log: {${key}: 1}`)).toEqual([
      `config.yaml:8:7: log.${key} is not a known key; known here: level, format`,
    ]);
  });

  it('cannot smuggle control characters into the message', () => {
    const [error = ''] = adding(String.raw`"\e[31m\u202e${'x'.repeat(200)}": 1`);
    expect(error).toContain(String.raw`["\u001b[31m\u202exxx`);
    expect(error.length).toBeLessThan(300);
  });
});

describe('what is shown of a value', () => {
  it.each([
    ['a password in the place of its file', `cluster: {auth: {username: u, passwordFile: hunter2}}`],
    [
      'key material in the place of its file',
      `encryption: {recipients: [{type: aes-key-file, name: k, file: hunter2}]}`,
    ],
    ['a key that nobody knows', 'cluster: {auth: {password: hunter2}}'],
    ['credentials in a URL', 'cluster: {endpoints: ["https://root:hunter2@a:1", "http://u:x/hunter2@a"]}'],
    ['credentials in another URL', 'push: {gateway: "ftp://u:hunter2@a"}'],
    ['credentials in what was meant to be a URL', 'aws: {proxy: "u:hunter2@a"}'],
  ])('is never %s', (_, text) => {
    const errors = errorsOf(text);
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.join('\n')).not.toContain('hunter2');
  });

  it('is one short line', () => {
    expect(adding(`log: {level: "${'x'.repeat(5000)}\\n"}`)[0]?.length).toBeLessThan(200);
  });
});
