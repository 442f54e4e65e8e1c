/** More members than any etcd cluster has; whoever answers in its place can't make more series than these. */
const maxMembers = 64;

/** Room for a number behind it stays within 128 characters. */
const maxNameLength = 122;

/**
 * The name that a member gave itself, as the value of a label: of bounded length, and unlike those that are taken. Undefined
 * once there are too many.
 */
export function labelMember(name: string, taken: readonly string[]): string | undefined {
  if (taken.length >= maxMembers) return undefined;
  const cleaned = clean(name);
  let label = cleaned;
  for (let number = 2; taken.includes(label); number += 1) label = `${cleaned} (${number})`;
  return label;
}

/** A member that was added and never started has no name, and a label without a value is none. */
function clean(name: string): string {
  // Half a character, where the cut went through one, is of the class \p{C} as well.
  return name.slice(0, maxNameLength).replaceAll(/\p{C}/gu, '?') || 'unnamed';
}
