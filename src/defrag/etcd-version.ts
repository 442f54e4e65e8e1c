/**
 * First release of each series in which a defragmentation cannot destroy data: before, a raft snapshot that is applied
 * at the same time is lost or torn, and earlier a crash half way left members that disagree. 3.7.0 has had the fix
 * from the start, but builds of the main branch were called 3.7.0-alpha.0 before and after it.
 * Source: etcd CHANGELOG-3.4, 3.5, 3.6, "applySnapshot and defragment happen concurrently".
 */
const safeSince = [
  { series: '3.4', patch: 38, fix: 'etcd#20659' },
  { series: '3.5', patch: 23, fix: 'etcd#20653' },
  { series: '3.6', patch: 5, fix: 'etcd#20650' },
  { series: '3.7', patch: 0, fix: 'etcd#20553' },
] as const;

interface EtcdVersion {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  readonly isPreRelease: boolean;
}

/** Why this release must not be defragmented, in words that follow the version; undefined where nothing is known. */
export function describeHarm(text: string): string | undefined {
  const version = parseVersion(text);
  if (version === undefined) return 'is no version that can be read, so what it can harm is not known';
  const { major, minor, patch, isPreRelease } = version;
  const safe = safeSince.find(({ series }) => series === `${major}.${minor}`);
  if (safe === undefined) {
    const isOlder = major < 3 || (major === 3 && minor < 4);
    return isOlder ? 'is older than 3.4, and a defragmentation can corrupt its data' : undefined;
  }
  const isSafe = patch > safe.patch || (patch === safe.patch && !isPreRelease);
  if (isSafe) return undefined;
  return `is before ${safe.series}.${safe.patch}, and a defragmentation while a raft snapshot arrives can corrupt its data (${safe.fix})`;
}

/** Vendors append what they like, as in `3.5.9-k3s1`; only etcd's own names for it make a pre-release. */
function parseVersion(text: string): EtcdVersion | undefined {
  const [, major, minor, patch, suffix = ''] = /^v?(\d{1,6})\.(\d{1,6})\.(\d{1,6})([-+.~_].*)?$/.exec(text) ?? [];
  if (major === undefined || minor === undefined || patch === undefined) return undefined;
  return {
    major: Number(major),
    minor: Number(minor),
    patch: Number(patch),
    isPreRelease: /^-(alpha|beta|rc|pre|dev)/i.test(suffix),
  };
}
