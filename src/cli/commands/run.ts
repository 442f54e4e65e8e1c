import type { Command } from 'commander';
import { composeClock, composeLeniently, composeMetrics, composeOutlets } from '../../agent/compose.ts';
import { Agent } from '../../agent/daemon/agent.ts';
import { checkStart } from '../../agent/daemon/check-start.ts';
import type { CarryOut, Invocation } from '../invocation.ts';

export function addRunCommand(program: Command, carryOut: CarryOut): void {
  program
    .command('run')
    .description('the daemon: schedules, metrics, health and a status page; SIGHUP reads the configuration again')
    .action(() => carryOut(runDaemon));
}

async function runDaemon(invocation: Invocation): Promise<never> {
  const config = await invocation.loadConfig();
  await checkStart(config, composeOutlets(config));
  const agent = new Agent({
    config,
    log: invocation.openLog(config),
    measures: composeMetrics(config),
    clock: composeClock(),
    random: Math.random,
    open: composeLeniently,
    reload: () => invocation.loadConfig(),
    onDeath: (reason) => invocation.interrupt(reason),
  });
  invocation.onHangup(() => agent.reload());
  return agent.run(invocation.signal);
}
