import { WardenError } from '../../errors/warden-error.ts';

export interface KmsArn {
  readonly partition: string;
  readonly region: string;
  readonly account: string;
  readonly isAlias: boolean;
}

const pattern = /^arn:(aws[a-z-]*):kms:([a-z0-9-]+):(\d{12}):(key|alias)\/[A-Za-z0-9/_-]+$/;

/** Only whole ARNs: a bare key id or alias would mean another key with every other region or account. */
export function parseKmsArn(arn: string): KmsArn {
  const [, partition, region, account, kind] = pattern.exec(arn) ?? [];
  if (partition === undefined || region === undefined || account === undefined) {
    throw new WardenError(
      'config-invalid',
      `keyArn must be the ARN of a KMS key or alias, found ${JSON.stringify(arn)}`,
    );
  }
  return { partition, region, account, isAlias: kind === 'alias' };
}
