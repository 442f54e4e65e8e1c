import { formatConfigError } from '../../src/config/config-error.ts';
import type { Environment } from '../../src/config/environment.ts';
import { parseConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';

/** The least that is a configuration. */
export const minimalConfig = `\
cluster:
  name: prod
  endpoints: [https://127.0.0.1:2379]
encryption: none
repositories:
  - name: local
    store: {type: directory, path: /var/backups/etcd}
`;

/** The errors of a text as an operator sees them; empty if it is valid. */
export function errorsOf(text: string, environment: Environment = {}): readonly string[] {
  const result = parseConfig(text, 'config.yaml', environment);
  return 'config' in result ? [] : result.errors.map((error) => formatConfigError('config.yaml', error));
}

/** The configuration of a text that is expected to be valid. */
export function configOf(text: string, environment: Environment = {}): Config {
  const result = parseConfig(text, 'config.yaml', environment);
  if ('config' in result) return result.config;
  throw new Error(result.errors.map((error) => formatConfigError('config.yaml', error)).join('\n'));
}
