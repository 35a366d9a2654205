// What is asked for on the command line.
import { parseArgs } from 'node:util';
import { parseSize } from '../../src/config/units.ts';
import { PRESETS, type Scenario } from './presets.ts';

const HELP = `npm run bench:swarm -- [PRESET...] [OPTION...]

N gateways, cold at once, against one origin (nginx), each in a network namespace of its own on a link that is shaped
both ways. Needs Linux, root, iproute2, util-linux, curl, openssl and nginx-light. Everything made is removed at the end.

Presets (a beginning of a name means all that have it; none: all):
${PRESETS.map(({ name, gateways, rateMbit, sizeBytes }) => `  ${name.padEnd(12)} ${gateways} gateways, links of ${rateMbit} Mbit/s, ${sizeBytes / 1024 ** 2} MiB`).join('\n')}

Gateways are configured with freshness 60s, blockSize 128KiB, all members in a static list, and a shared secret.

  --piece-size SIZES   Sizes of a piece, with commas (1MiB; for both: 1MiB,4MiB)
  --gateways N         In place of the preset's number of gateways
  --rate MBIT          In place of the preset's rate of a link
  --size SIZE          In place of the preset's object size, like 64MiB
  --set PATH=VALUE     A setting of the gateways, like mesh.leases=8; may be repeated
  --runs N             How often each is run (1)
  --keep-logs FOLDER   Keep what gateways, clients and the origin logged, and the gateways' metrics
  --cleanup            Only remove what killed runs left
  --help`;

export interface SwarmOptions {
  readonly scenarios: readonly Scenario[];
  readonly pieceSizes: readonly string[];
  readonly set: readonly string[];
  readonly keepLogs: string | undefined;
  readonly cleanup: boolean;
}

/** Or the help that was asked for. */
export function readOptions(args: readonly string[]): SwarmOptions | string {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      'piece-size': { type: 'string', default: '1MiB' },
      gateways: { type: 'string' },
      rate: { type: 'string' },
      size: { type: 'string' },
      set: { type: 'string', multiple: true, default: [] },
      runs: { type: 'string', default: '1' },
      'keep-logs': { type: 'string' },
      cleanup: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return HELP;
  const override: Partial<Scenario> = {
    ...(values.gateways !== undefined && { gateways: positive('--gateways', values.gateways) }),
    ...(values.rate !== undefined && { rateMbit: positive('--rate', values.rate) }),
    ...(values.size !== undefined && { sizeBytes: parseSize(values.size) }),
  };
  const runs = positive('--runs', values.runs);
  return {
    scenarios: chosen(positionals).flatMap((preset) =>
      Array.from({ length: runs }, () => ({ ...preset, ...override })),
    ),
    pieceSizes: values['piece-size'].split(','),
    set: values.set,
    keepLogs: values['keep-logs'],
    cleanup: values.cleanup,
  };
}

function chosen(names: readonly string[]): readonly Scenario[] {
  const unknown = names.find((name) => !PRESETS.some((preset) => preset.name.startsWith(name)));
  if (unknown !== undefined) {
    throw new Error(`There is no preset '${unknown}'; there are ${PRESETS.map(({ name }) => name).join(', ')}.`);
  }
  return PRESETS.filter((preset) => names.length === 0 || names.some((name) => preset.name.startsWith(name)));
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${flag} takes a number above 0, not '${text}'.`);
  return value;
}
