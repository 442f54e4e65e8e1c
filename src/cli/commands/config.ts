import type { Command } from 'commander';
import { configJsonSchema } from '../../config/json-schema.ts';
import { printConfig } from '../../config/print.ts';
import { unusedSections } from '../../config/unused-sections.ts';
import type { CarryOut, Invocation, Outcome } from '../invocation.ts';

export function addConfigCommand(program: Command, carryOut: CarryOut): void {
  const config = program.command('config').description('check, print or describe the configuration');
  config
    .command('check')
    .description('report everything that is wrong with the file, with line and column')
    .action(() => carryOut(checkConfig));
  config
    .command('print')
    .description('the effective configuration with every default, secrets redacted')
    .action(() => carryOut(showConfig));
  config
    .command('schema')
    .description('JSON schema of the file, for editors')
    .action(() => carryOut(showSchema));
}

async function checkConfig(invocation: Invocation): Promise<Outcome> {
  const config = await invocation.loadConfig();
  const unused = unusedSections(config);
  const file = config.source.fileName;
  return {
    result: {
      json: { file, valid: true, unusedSections: unused },
      lines: [
        `${file} is valid; the files named in it, etcd and the stores were not looked at`,
        ...unused.map((section) => `note: ${section} is checked, but this version does not act on it yet`),
      ],
    },
  };
}

async function showConfig(invocation: Invocation): Promise<Outcome> {
  const config = await invocation.loadConfig();
  const text = printConfig(config);
  return { result: { json: { file: config.source.fileName, config: text }, lines: text.trimEnd().split('\n') } };
}

async function showSchema(): Promise<Outcome> {
  const schema = configJsonSchema();
  return { result: { json: schema, lines: JSON.stringify(schema, undefined, 2).split('\n') } };
}
