// npm run sim: the product's tracker and rendezvous on a virtual clock. Prints the table of docs/SCALE.md; fails when a
// figure is past its bar. --help says the rest.
import { countFromOne, scriptCommand, wholeNumber } from '../../test/support/script-command.ts';
import { type Outcome, SCENARIOS, type Scenario, simulate } from './scenarios.ts';

const command = scriptCommand(
  'sim',
  "Runs the product's tracker and rendezvous on a virtual clock. Prints a table; fails when a figure is past its bar.",
)
  .option('--only <text>', 'the scenarios with this in their names; else all')
  .option('--peers <number>', 'the scenarios of so many peers', countFromOne)
  .option('--seed <number>', 'the same seed gives the same run', wholeNumber, 1)
  .addHelpText('after', `\nScenarios:\n${SCENARIOS.map(({ name, peers }) => `  ${name}, ${peers} peers`).join('\n')}`)
  .parse();
const { only, peers: ofPeers, seed } = command.opts<{ only?: string; peers?: number; seed: number }>();

const TELL_EVERY_MS = 5_000;

const HEAD = [
  'scenario',
  'peers',
  'trackers',
  'origin reads per piece',
  'worst piece, read > 2 ×',
  'busiest tracker ÷ mean',
  'longest tracker queue, ms',
  'p50 / p99 / last, s',
  'lost',
  'copies between zones',
  'list, bytes × changes',
] as const;

const chosen = SCENARIOS.filter(
  ({ name, peers }) => name.includes(only ?? '') && (ofPeers === undefined || peers === ofPeers),
);
if (chosen.length === 0) command.error('error: there is no such scenario; --help lists them');

const missed: string[] = [];
let toldAtMs = performance.now();
console.log(`seed ${seed}\n\n| ${HEAD.join(' | ')} |\n|${' --- |'.repeat(HEAD.length)}`);
for (const [index, scenario] of chosen.entries()) {
  const turn = `${index + 1} of ${chosen.length}`;
  const outcome = await simulate(scenario, seed, (line) => tellSometimes(`${turn}, ${line}`));
  const took = `${outcome.events} events in ${(outcome.tookMs / 1_000).toFixed(1)} s`;
  console.error(`${turn}, ${scenario.name}: ${took}`);
  console.log(row(outcome));
  missed.push(...missedBy(scenario, outcome));
}
console.log(['', ...(missed.length === 0 ? ['Every bar was kept.'] : missed)].join('\n'));
process.exitCode = missed.length === 0 ? 0 : 1;

function tellSometimes(line: string): void {
  const nowMs = performance.now();
  if (nowMs - toldAtMs < TELL_EVERY_MS) return;
  toldAtMs = nowMs;
  console.error(line);
}

function row(outcome: Outcome): string {
  const { p50Ms, p99Ms, lastMs } = outcome;
  const cells = [
    outcome.name,
    outcome.peers,
    outcome.levels === 2 ? `${outcome.trackers}, two levels` : outcome.trackers,
    `${outcome.originReads} / ${outcome.distinctPieces} = ${perPiece(outcome).toFixed(3)}`,
    `${outcome.worstPiece}, ${outcome.readOften}`,
    outcome.busiest.toFixed(2),
    outcome.longestQueueMs.toFixed(1),
    [p50Ms, p99Ms, lastMs].map((ms) => (ms / 1_000).toFixed(2)).join(' / '),
    outcome.lost,
    outcome.crossedZones,
    `${outcome.listBytes} × ${outcome.listChanges}`,
  ];
  return `| ${cells.join(' | ')} |`;
}

function perPiece({ originReads, distinctPieces }: Outcome): number {
  return originReads / distinctPieces;
}

function missedBy({ bar, busiestBar }: Scenario, outcome: Outcome): string[] {
  const { name, peers, lost, busiest } = outcome;
  const who = `${name}, ${peers} peers:`;
  return [
    ...(lost > 0 ? [`${who} ${lost} wait in vain.`] : []),
    ...(bar !== undefined && perPiece(outcome) > bar ? [`${who} origin reads per piece above ${bar}.`] : []),
    ...(busiestBar !== undefined && busiest > busiestBar
      ? [`${who} the busiest tracker has more than ${busiestBar} × the mean.`]
      : []),
  ];
}
