import * as z from 'zod';
import { absolutePath, choice, list, section, text } from '../fields.ts';
import { optionWithDefault, requiredOption, withRule, type Complain } from '../option.ts';

const keyName = text('1 to 64 letters, digits, dots, underscores or hyphens', /^[A-Za-z0-9._-]{1,64}$/);

/** Aliases may seal; what was sealed names the key itself, so it opens after the alias has moved on. */
const kmsKey = section({
  type: z.literal('aws-kms'),
  keyArn: requiredOption(
    text(
      'the ARN of a KMS key or alias',
      /^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:(key|alias)\/[A-Za-z0-9/_-]{1,250}$/,
    ),
    'ARN of the key or of an alias; it names the region.',
    'arn:aws:kms:eu-central-1:111122223333:key/0f3d2c1b-4a59-4e6d-8c7b-9a0b1c2d3e4f',
  ),
});

const aesKey = section({
  type: z.literal('aes-key-file'),
  file: requiredOption(absolutePath(), 'File with exactly 32 random bytes.', '/etc/etcd-warden/keys/site.aes'),
  name: requiredOption(
    keyName,
    'Names the key in manifests; keep it as long as backups sealed with it exist.',
    'site-2026',
  ),
});

const rsaPublicKey = section({
  type: z.literal('rsa-public-key'),
  file: requiredOption(
    absolutePath(),
    'PEM file with the public half; the private half stays offline.',
    '/etc/etcd-warden/keys/recovery.pub.pem',
  ),
  name: requiredOption(keyName, 'Names the key in manifests; rsa-private-key must give the same name.', 'recovery'),
});

const rsaPrivateKey = section({
  type: z.literal('rsa-private-key'),
  file: requiredOption(absolutePath(), 'PEM file with the private key.', '/etc/etcd-warden/keys/recovery.pem'),
  name: requiredOption(keyName, 'The name its public half has among the recipients.', 'recovery'),
});

const partsOfName = ['*.type', '*.keyArn', '*.name'];

const recipients = withRule(
  list(choice(kmsKey, aesKey, rsaPublicKey), { least: 1, most: 16, of: 'recipients' }),
  partsOfName,
  refuseRepeatedKeys,
);
const identities = withRule(
  list(choice(aesKey, rsaPrivateKey, kmsKey), { most: 16, of: 'identities' }),
  partsOfName,
  refuseRepeatedKeys,
);

const encryptionSection = section({
  recipients: requiredOption(
    recipients,
    'Keys that each backup is sealed to; any one of them opens it. Add an offline key in case KMS is lost.',
    [{ type: 'aws-kms', keyArn: 'arn:aws:kms:eu-central-1:111122223333:alias/etcd' }],
  ),
  identities: optionWithDefault(
    identities,
    [],
    'Further keys that verify, restore and drill may open backups with. Recipients of the kinds aws-kms and aes-key-file open too.',
    [{ type: 'rsa-private-key', file: '/etc/etcd-warden/keys/recovery.pem', name: 'recovery' }],
  ),
});

export const encryption = z.union([encryptionSection, z.literal('none')], {
  error: 'must be said: a section with recipients seals every backup, the word none stores the keyspace in the clear',
});

type Key = { readonly type: string } & ({ readonly keyArn: string } | { readonly file: string; readonly name: string });

function refuseRepeatedKeys(keys: readonly Key[], complain: Complain): void {
  const seen = new Set<string>();
  for (const [index, key] of keys.entries()) {
    const [option, name] = 'keyArn' in key ? ['keyArn', key.keyArn] : ['name', key.name];
    if (seen.has(name)) complain([index, option], `is used twice: ${name}`);
    seen.add(name);
  }
}
