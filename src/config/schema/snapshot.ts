import * as z from 'zod';
import { duration, integer, oneOf, section, size, text } from '../fields.ts';
import { optionWithDefault, withRule } from '../option.ts';

const compressionSection = section({
  algorithm: optionWithDefault(oneOf('zstd', 'none'), 'zstd', 'none: stored as etcd sends it.'),
  level: optionWithDefault(integer(1, 19), 1, 'zstd level. Each step above 3 costs far more time than it saves space.'),
});

/** The word `none` for short, as with encryption. */
const compression = z.union(
  [compressionSection, z.literal('none').transform(() => ({ algorithm: 'none' as const, level: 1 }))],
  { error: 'must be none or a section with algorithm and level' },
);

const spool = section({
  directory: optionWithDefault(
    text('an absolute path, or empty', /^(\/[^\0]*)?$/),
    '',
    'Directory for sealed bytes that a slow store has not taken yet. Empty: no spool, and a store that cannot keep up is left out of the backup.',
    '/var/spool/etcd-warden',
  ),
  maxSize: optionWithDefault(size(0), 0, 'The most that the spool may hold.', '16GiB'),
});

export const snapshot = withRule(
  withRule(
    section({
      prefer: optionWithDefault(
        oneOf('follower', 'leader', 'any'),
        'follower',
        'Which member streams the snapshot, if it may: reading costs it disk and network, which a leader needs most.',
      ),
      idleTimeout: optionWithDefault(
        duration('1s', '1h'),
        '30s',
        'How long a member may send no byte before the next one is tried. What limits the whole is maxStreamHold.',
      ),
      maxStreamHold: optionWithDefault(
        duration('1s', '1d'),
        '30m',
        'The longest a stream may stay open: until its end etcd cannot reuse pages that writes set free, and grows.',
      ),
      compression: optionWithDefault(
        compression,
        {},
        'How snapshots are compressed before they are sealed. Or the word none.',
      ),
      spool: optionWithDefault(spool, {}, 'Room on disk that keeps a slow store from holding the stream open.'),
    }),
    ['idleTimeout', 'maxStreamHold'],
    ({ idleTimeout, maxStreamHold }, complain) => {
      if (maxStreamHold.ms <= idleTimeout.ms) {
        complain(['maxStreamHold'], 'must be longer than snapshot.idleTimeout, which would never be reached');
      }
    },
  ),
  ['spool'],
  ({ spool: { directory, maxSize } }, complain) => {
    if (directory !== '' && maxSize.bytes === 0) {
      complain(['spool', 'directory'], 'needs snapshot.spool.maxSize above 0: an unbounded spool could fill the disk');
    }
    if (directory === '' && maxSize.bytes > 0) complain(['spool', 'maxSize'], 'needs snapshot.spool.directory too');
  },
);
