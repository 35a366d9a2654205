// What is asked for on the command line.
import { type Command, Option } from 'commander';
import { countFromOne, positiveNumber, scriptCommand, size } from '../../test/support/script-command.ts';
import { PRESETS, type Scenario } from './presets.ts';

export interface SwarmOptions {
  readonly scenarios: readonly Scenario[];
  readonly pieceSizes: readonly string[];
  readonly set: readonly string[];
  readonly keepLogs: string | undefined;
  readonly cleanup: boolean;
}

interface Given {
  readonly pieceSize: readonly string[];
  readonly gateways?: number;
  readonly rate?: number;
  readonly size?: number;
  readonly set?: readonly string[];
  readonly runs: number;
  readonly keepLogs?: string;
  readonly cleanup?: boolean;
}

export function readOptions(): SwarmOptions {
  const command = scriptCommand(
    'bench:swarm',
    [
      'N gateways, cold at once, against one origin (nginx), each in a network namespace of its own on a link that is shaped both ways.',
      'Needs Linux, root, iproute2, util-linux, curl, openssl and nginx-light. Everything made is removed at the end.',
      'Gateways are configured with freshness 60s, blockSize 128KiB, all members in a static list, and a shared secret.',
    ].join('\n'),
  )
    .argument('[preset...]', 'a beginning of a name means all that have it; none: all')
    .addOption(
      new Option('--piece-size <sizes>', 'sizes of a piece, with commas, like 1MiB,4MiB')
        .argParser(sizes)
        .default(['1MiB'], '1MiB'),
    )
    .option('--gateways <number>', "in place of the preset's number of gateways", countFromOne)
    .option('--rate <mbit>', "in place of the preset's rate of a link", positiveNumber)
    .option('--size <size>', "in place of the preset's object size, like 64MiB", size)
    .option('--set <path=value>', 'a setting of the gateways, like mesh.leases=8; may be repeated', oneMore)
    .option('--runs <number>', 'how often each is run', countFromOne, 1)
    .option('--keep-logs <folder>', "keep what gateways, clients and the origin logged, and the gateways' metrics")
    .option('--cleanup', 'only remove what killed runs left')
    .addHelpText('after', `\nPresets:\n${PRESETS.map(line).join('\n')}`)
    .parse();
  const given = command.opts<Given>();
  const override: Partial<Scenario> = {
    ...(given.gateways !== undefined && { gateways: given.gateways }),
    ...(given.rate !== undefined && { rateMbit: given.rate }),
    ...(given.size !== undefined && { sizeBytes: given.size }),
  };
  return {
    scenarios: chosen(command).flatMap((preset) =>
      Array.from({ length: given.runs }, () => ({ ...preset, ...override })),
    ),
    pieceSizes: given.pieceSize,
    set: given.set ?? [],
    keepLogs: given.keepLogs,
    cleanup: given.cleanup === true,
  };
}

function line({ name, gateways, rateMbit, sizeBytes }: Scenario): string {
  return `  ${name.padEnd(12)} ${gateways} gateways, links of ${rateMbit} Mbit/s, ${sizeBytes / 1024 ** 2} MiB`;
}

function sizes(text: string): readonly string[] {
  const all = text.split(',');
  for (const each of all) size(each);
  return all;
}

function oneMore(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

function chosen(command: Command): readonly Scenario[] {
  const names = command.args;
  const unknown = names.find((name) => !PRESETS.some((preset) => preset.name.startsWith(name)));
  if (unknown !== undefined) {
    command.error(`error: there is no preset '${unknown}'; there are ${PRESETS.map(({ name }) => name).join(', ')}`);
  }
  return PRESETS.filter((preset) => names.length === 0 || names.some((name) => preset.name.startsWith(name)));
}
