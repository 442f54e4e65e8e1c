import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAuthorities } from '../../../src/adapters/aws/certificate-authorities.ts';
import { makeCertificates, type Certificates } from '../../support/certificates.ts';

// field: F121
describe('readAuthorities', () => {
  let certificates: Certificates;
  let directory: string;
  let pem: string;

  beforeAll(async () => {
    certificates = await makeCertificates();
    directory = await mkdtemp(join(tmpdir(), 'warden-ca-'));
    pem = await readFile(certificates.caFile, 'utf8');
  });

  afterAll(async () => {
    await rm(directory, { recursive: true, force: true });
    await certificates[Symbol.asyncDispose]();
  });

  const read = async (text: string) => {
    const file = join(directory, 'ca.pem');
    await writeFile(file, text);
    return readAuthorities(file);
  };

  it.each<[string, (pem: string) => string]>([
    ['with LF', (text) => text],
    ['with CRLF', (text) => text.replaceAll('\n', '\r\n')],
    ['with blank lines around', (text) => `\n\n${text}\n\n`],
    ['indented as a YAML block', (text) => text.replaceAll(/^/gm, '  ')],
    ['after other text', (text) => `# our own\n${text}`],
  ])('reads PEM %s', async (_, change) => {
    const lines = pem
      .trim()
      .split('\n')
      .map((line) => line.trim());
    expect((await read(change(pem))).at(-1)?.split('\n')).toEqual(lines);
  });

  it('reads every certificate of a bundle, beside those that Node trusts anyway', async () => {
    const alone = await read(pem);
    const strange = await readFile(certificates.strangeCaFile, 'utf8');
    expect(await read(`${pem}\n${strange}`)).toHaveLength(alone.length + 1);
    expect(alone.length).toBeGreaterThan(50);
  });

  it('refuses a file without certificates, damaged ones, and a missing file', async () => {
    await expect(read('garbage')).rejects.toMatchObject({ code: 'config-invalid' });
    await expect(read(pem.replace('MII', 'AAA'))).rejects.toMatchObject({ code: 'config-invalid' });
    expect(() => readAuthorities(join(directory, 'missing.pem'))).toThrow(/missing\.pem/);
  });
});
