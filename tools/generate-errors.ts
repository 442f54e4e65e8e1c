import { errorTable, exitStatus } from '../src/errors/table.ts';

const introduction = `\
# Error codes

<!-- Written by \`npm run generate:docs\` from src/errors/table.ts: change it there. -->

Every failure carries one of these codes: in brackets after the hint, as \`error.code\` with \`--json\`, and as \`code\` in log
lines. Codes are stable; messages are for people and may change. Where a place knows better what to do next, it gives
another hint than the one below.

*Passing* says whether the same call may succeed a moment later without anybody's help.
`;

/** docs/errors.md */
export function renderErrorReference(): string {
  const meanings = new Map<number, string>(Object.entries(exitStatus).map(([meaning, status]) => [status, meaning]));
  const rows = Object.entries(errorTable).map(([code, { exitStatus: status, retryable, hint }]) => {
    const cells = [`\`${code}\``, `${status} (${meanings.get(status)})`, retryable ? 'yes' : 'no', hint];
    return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
  });
  return [introduction, '| code | exit status | passing | what to do |', '|---|---|---|---|', ...rows, ''].join('\n');
}
