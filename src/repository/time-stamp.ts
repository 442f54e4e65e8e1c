const pattern = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/;

/** How a time stands in object keys: `20261124T140000Z`. UTC and whole seconds, so that it sorts as text. */
export function formatTimeStamp(time: Date): string {
  return time
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(/[-:]/g, '');
}

/** undefined for anything that `formatTimeStamp` would not have written. */
export function parseTimeStamp(text: string): Date | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  // A date such as 30 February is taken for another day: it is not one of ours.
  return Number.isNaN(time.getTime()) || formatTimeStamp(time) !== text ? undefined : time;
}
