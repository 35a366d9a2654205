// dfstore config: what the gateway would run with, secrets left out; `config check` only says whether it would.
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { redactConfig } from '../config/redact.ts';
import { addConfigFlags, configOf } from './config-flags.ts';

export function addConfigCommand(program: Command): void {
  const config = program.command('config').description('Show or check the configuration.');
  const show = config
    .command('show', { isDefault: true })
    .description('Print the effective configuration as YAML, without its secrets; durations in ms, sizes in bytes.');
  addConfigFlags(show);
  show.action(() => {
    const { config: effective, file, warnings } = configOf(show);
    process.stdout.write(`# ${file === undefined ? 'No configuration file.' : `From ${file}.`}\n`);
    for (const warning of warnings) process.stdout.write(`# ${warning}\n`);
    process.stdout.write(stringify(redactConfig(effective)));
  });
  const check = config.command('check').description('Exit with 0 when the configuration can be used, with 2 when not.');
  addConfigFlags(check);
  check.action(() => {
    const { file, warnings } = configOf(check);
    for (const warning of warnings) process.stderr.write(`${warning}\n`);
    process.stdout.write(`The configuration${file === undefined ? '' : ` in ${file}`} can be used.\n`);
  });
}
