// The command line of a script for developers: --help, and for what cannot be understood a line and exit code 2.
import { Command, InvalidArgumentError } from 'commander';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { parseSize } from '../../src/config/units.ts';

/** `name` as package.json has it, or the path of a script that it does not have. */
export function scriptCommand(name: string, description: string): Command {
  return new Command(name.endsWith('.ts') ? `npx tsx ${name}` : `npm run ${name} --`)
    .description(description)
    .helpOption('-h, --help', 'print this help')
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? EXIT.ok : EXIT.usage));
}

// What follows reads the values of options and arguments.

export function wholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It takes a whole number.');
}

export function countFromOne(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It takes a whole number above 0.');
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('It takes a number above 0.');
}

/** Bytes. */
export function size(text: string): number {
  try {
    return parseSize(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? `${error.message}.` : String(error));
  }
}
