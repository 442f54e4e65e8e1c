import { duration, flag, integer, list, parsedText, percentage, section, size } from '../fields.ts';
import { optionalOption, optionWithDefault, withRule } from '../option.ts';
import { parseQuotaShare, parseSize, quotaSharePattern, sizePattern, type QuotaShare, type Size } from '../units.ts';

const sizeOrShare = parsedText<Size | QuotaShare>(
  'a size such as 64MiB or a share such as 10%ofQuota',
  new RegExp(`${sizePattern.source}|${quotaSharePattern.source}`),
  (value) => parseSize(value) ?? parseQuotaShare(value),
);

const rule = withRule(
  section({
    fragmentationAbove: optionalOption(percentage(), 'Reclaimable bytes as a part of the database.', '45%'),
    dbSizeAbove: optionalOption(size(0), 'Size of the database on disk.', '100MiB'),
    reclaimableAbove: optionalOption(sizeOrShare, 'Bytes on disk that are not in use.', '64MiB'),
    usageAbove: optionalOption(percentage(), 'Size of the database as a part of its quota.', '75%'),
  }),
  ['fragmentationAbove', 'dbSizeAbove', 'reclaimableAbove', 'usageAbove'],
  (conditions, complain) => {
    if (Object.values(conditions).every((condition) => condition === undefined)) {
      complain([], 'has no condition: it would always be due');
    }
  },
);

export const defrag = section({
  enabled: optionWithDefault(flag(), true, 'false: `run` never defragments; the command still does.'),
  rules: optionWithDefault(
    list(rule, { least: 1, most: 16, of: 'rules' }),
    [
      { fragmentationAbove: '45%', dbSizeAbove: '100MiB', reclaimableAbove: '64MiB' },
      { usageAbove: '75%', reclaimableAbove: '10%ofQuota' },
    ],
    'A member is due when all conditions of any one rule hold.',
  ),
  minReclaim: optionWithDefault(size(0), '32MiB', 'Less than this is never worth the pause it costs.'),
  emergencyUsage: optionWithDefault(
    percentage(),
    '90%',
    'Past this part of the quota windows and cooldown do not hold.',
  ),
  pause: optionWithDefault(duration('0s', '1h'), '60s', 'Rest between one member and the next.'),
  cooldown: optionWithDefault(duration('0s'), '6h', 'How soon the same member may be defragmented again.'),
  moveLeader: optionWithDefault(
    flag(),
    true,
    'The leader comes last; true: leadership is moved away first, so that writes go on meanwhile.',
  ),
  requireBackupWithin: optionWithDefault(
    duration('0s'),
    '0s',
    'Refuse unless a backup is at most this old. 0s: not required.',
    '1d',
  ),
  disarmNospace: optionWithDefault(flag(), true, 'Lift the NOSPACE alarm once every member is well below its quota.'),
  maxRaftLag: optionWithDefault(
    integer(0, 1_000_000),
    1000,
    'Entries that a member may lag behind before the next one starts.',
  ),
  allowSingleMember: optionWithDefault(
    flag(),
    false,
    'true: defragment a cluster of one member as well. It serves nothing while that runs.',
  ),
});
