import { Command, CommanderError, Option } from 'commander';
import { exitStatus } from '../errors/table.ts';
import { toWardenError, WardenError } from '../errors/warden-error.ts';
import { toolVersion } from '../version.ts';
import { addBackupCommand } from './commands/backup.ts';
import { addConfigCommand } from './commands/config.ts';
import { addDefragCommand } from './commands/defrag.ts';
import { addHoldCommand } from './commands/hold.ts';
import { addInspectCommand } from './commands/inspect.ts';
import { addListCommand } from './commands/list.ts';
import { addPruneCommand } from './commands/prune.ts';
import { addReleaseCommand } from './commands/release.ts';
import { addRestoreCommand } from './commands/restore.ts';
import { addRunCommand } from './commands/run.ts';
import { addShowCommand } from './commands/show.ts';
import { addStatusCommand } from './commands/status.ts';
import { addVerifyCommand } from './commands/verify.ts';
import { Invocation, type CarryOut, type GlobalOptions, type Surroundings } from './invocation.ts';
import { Output } from './output.ts';
import { parseDurationOption } from './parse-duration.ts';

const exitStatusHelp = `
Exit status: 0 done, 1 failed, 2 wrong usage or configuration, 3 damage found, 4 refused as unsafe,
5 partly done, 6 busy, 128+n ended by signal n.`;

/** Runs one command line to its end; resolves with the exit status. */
export async function runCommandLine(
  args: readonly string[],
  surroundings: Surroundings,
  signal: AbortSignal,
): Promise<number> {
  let status: number = exitStatus.ok;
  const program = createProgram(surroundings);
  const carryOut: CarryOut = async (work) => {
    const invocation = new Invocation(program.opts<GlobalOptions>(), surroundings, signal);
    status = await invocation.run(work);
  };
  for (const add of [
    addBackupCommand,
    addListCommand,
    addShowCommand,
    addVerifyCommand,
    addRestoreCommand,
    addPruneCommand,
    addHoldCommand,
    addReleaseCommand,
    addStatusCommand,
    addDefragCommand,
    addRunCommand,
    addInspectCommand,
    addConfigCommand,
  ]) {
    add(program, carryOut);
  }
  try {
    await program.parseAsync(args, { from: 'user' });
    return status;
  } catch (error) {
    return reportUsage(error, args, surroundings);
  }
}

function createProgram({ stdout, stderr }: Surroundings): Command {
  return new Command('etcd-warden')
    .description('Keeps etcd clusters recoverable and small.')
    .version(toolVersion)
    .option('--config <file>', 'configuration file (default: $ETCD_WARDEN_CONFIG)')
    .option('--json', 'print one JSON document on standard output')
    .addOption(
      new Option('--log-level <level>', 'how much is logged').choices(['debug', 'info', 'warn', 'error', 'silent']),
    )
    .option('--deadline <duration>', 'give up after this long, with a reason', parseDurationOption)
    .option('--no-progress', 'draw no progress line on a terminal')
    .addHelpText('after', exitStatusHelp)
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      // Told once, as an error with its hint, by reportUsage.
      outputError: () => undefined,
    });
}

/** Commander ends help and version with an exception too: those are no errors. */
function reportUsage(error: unknown, args: readonly string[], { stdout, stderr }: Surroundings): number {
  if (error instanceof CommanderError && error.exitCode === 0) return exitStatus.ok;
  const output = new Output({ json: args.includes('--json'), progress: false, stdout, stderr });
  // With no command at all commander has printed the help on standard error.
  if (error instanceof CommanderError && error.code === 'commander.help' && !args.includes('--json'))
    return exitStatus.usage;
  const problem =
    error instanceof CommanderError ? new WardenError('usage', describeUsageError(error)) : toWardenError(error);
  output.outcome(undefined, problem);
  return problem.exitStatus;
}

function describeUsageError({ code, message }: CommanderError): string {
  // Commander's own text for it is `(outputHelp)`.
  if (code === 'commander.help') return 'a command is missing';
  return message.replace(/^error: /, '').replaceAll('\n', ' ');
}
