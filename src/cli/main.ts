#!/usr/bin/env node
// The command line: parses, dispatches, and turns failures into a sentence and an exit code.
import { Command, CommanderError } from 'commander';
import { ConfigError } from '../config/load-config.ts';
import { VERSION } from '../gateway/version.ts';
import { addCacheCommand } from './cache-command.ts';
import { addConfigCommand } from './config-command.ts';
import { EXIT } from './exit-codes.ts';
import { addPreheatCommand } from './preheat-command.ts';
import { addServeCommand } from './serve-command.ts';
import { addStatusCommand } from './status-command.ts';
import { UsageError } from './usage-error.ts';
import { addWhereCommand } from './where-command.ts';

const program = new Command('dfstore')
  .description('S3-compatible object storage gateway.')
  .version(VERSION, '-v, --version', 'print the version')
  .helpOption('-h, --help', 'print this help')
  .showHelpAfterError('(--help lists what there is)')
  .exitOverride();

addServeCommand(program);
addConfigCommand(program);
addStatusCommand(program);
addCacheCommand(program);
addWhereCommand(program);
addPreheatCommand(program);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

function report(error: unknown): number {
  // Commander has printed its own.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  return error instanceof ConfigError || error instanceof UsageError ? EXIT.usage : EXIT.failure;
}
