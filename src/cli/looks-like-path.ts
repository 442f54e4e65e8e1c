/** Whether an argument is meant as a local file: backup ids and their prefixes hold neither slashes nor dots. */
export function looksLikePath(argument: string): boolean {
  return /[/.]/.test(argument);
}
