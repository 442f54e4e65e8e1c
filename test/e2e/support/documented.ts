import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

/** A page of docs/, of which tests run what it tells its readers to run. */
export interface DocumentedPage {
  /** The fenced block of a language under a heading; throws where there is not exactly one. */
  block(heading: string, language: string): string;
}

export async function readPage(name: string): Promise<DocumentedPage> {
  const text = await readFile(resolve(import.meta.dirname, '../../../docs', name), 'utf8');
  const sections = new Map(
    text.split(/^#+ /m).map((section): [heading: string, section: string] => {
      const heading = section.slice(0, section.indexOf('\n'));
      return [heading, section];
    }),
  );
  return {
    block: (heading, language) => {
      const fenced = [...(sections.get(heading) ?? '').matchAll(/^```(\w+)\n(.*?)^```$/gms)];
      const found = fenced.filter(([, named]) => named === language);
      const [only] = found;
      if (only?.[2] === undefined || found.length > 1) {
        throw new Error(`${name} has ${found.length} blocks of ${language} under "${heading}", expected one`);
      }
      return only[2];
    },
  };
}
