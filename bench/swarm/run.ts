// npm run bench:swarm: gateways cold at once against one origin, on wires that are shaped, and the figures against their
// bars. --help says the rest.
import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { parseSize } from '../../src/config/units.ts';
import { judge } from './figures.ts';
import { Lab, removeOwnLab } from './lab.ts';
import { removeDeadLabs } from './lab-remains.ts';
import { measure } from './measure.ts';
import { readOptions, type SwarmOptions } from './options.ts';
import type { Scenario } from './presets.ts';
import { quietMachine } from './processor-use.ts';
import { barLines, jsonLine, type Result, tableHead, tableRow } from './report.ts';
import { whyNoLab } from './system-tools.ts';

const STOPS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
const QUIET_LIMIT_MS = 10_000;

// Not by leaving the code: what was waited for when it was stopped may still be there.
process.exit(await main());

async function main(): Promise<number> {
  const stop = new AbortController();
  // Every client of a run waits with it.
  setMaxListeners(0, stop.signal);
  for (const signal of Object.keys(STOPS)) process.on(signal, (name) => stop.abort(name));
  try {
    return await answer(stop.signal);
  } catch (error) {
    const stopped = STOPS[stop.signal.reason as keyof typeof STOPS];
    if (stopped !== undefined) return stopped;
    console.error(error instanceof Error ? error.message : error);
    return 2;
  }
}

async function answer(signal: AbortSignal): Promise<number> {
  const options = readOptions();
  const problem = whyNoLab();
  if (problem !== undefined) throw new Error(problem);
  for (const id of await removeDeadLabs()) console.error(`Removed ${id}, a lab whose process is gone.`);
  if (options.cleanup) return 0;
  return (await runAll(options, signal)) ? 0 : 1;
}

/** Whether every bar was met, with every byte right, by runs that are valid. */
async function runAll(options: SwarmOptions, signal: AbortSignal): Promise<boolean> {
  console.log(tableHead());
  let isGood = true;
  for (const scenario of options.scenarios) {
    for (const pieceSize of options.pieceSizes) isGood = (await runOne(scenario, pieceSize, options, signal)) && isGood;
  }
  return isGood;
}

async function runOne(
  scenario: Scenario,
  pieceSize: string,
  { set, keepLogs }: SwarmOptions,
  signal: AbortSignal,
): Promise<boolean> {
  // Ends what is waited for, so that the run fails and its remains are removed.
  signal.addEventListener('abort', () => void removeOwnLab().catch(console.error), { once: true });
  try {
    signal.throwIfAborted();
    const lab = await Lab.build(scenario, { pieceSize, set });
    await quietMachine(QUIET_LIMIT_MS, signal);
    const options = {
      pieceBytes: parseSize(pieceSize),
      keepLogs: keepLogs && join(keepLogs, `${scenario.name}-${pieceSize}`),
    };
    const measured = await measure(scenario, lab, options, signal);
    return show({ scenario, pieceSize, set, measured, judged: judge(measured.figures, scenario.bars) });
  } finally {
    await removeOwnLab();
  }
}

/** Whether it was good. */
function show(result: Result): boolean {
  const { measured, judged } = result;
  console.log(tableRow(result));
  console.error([barLines(judged), ...measured.problems.map((text) => `  ${text}`)].join('\n'));
  console.log(jsonLine(result));
  return measured.isValid && measured.problems.length === 0 && judged.every(({ verdict }) => verdict !== 'missed');
}
