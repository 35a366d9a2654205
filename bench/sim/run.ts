// npm run sim [-- --only PART OF A NAME] [-- --peers 1000] [-- --seed 1]: the product's tracker and rendezvous on a
// virtual clock. Prints the table of docs/SCALE.md; fails when a figure is past its bar. The same seed gives the same run.
import { parseArgs } from 'node:util';
import { type Outcome, SCENARIOS, type Scenario, simulate } from './scenarios.ts';

const { values } = parseArgs({
  options: { only: { type: 'string' }, peers: { type: 'string' }, seed: { type: 'string', default: '1' } },
});

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

const chosen = SCENARIOS.filter(({ name, peers }) => {
  const isNamed = values.only === undefined || name.includes(values.only);
  return isNamed && (values.peers === undefined || peers === Number(values.peers));
});
if (chosen.length === 0) throw new Error('There is no such scenario.');

const missed: string[] = [];
console.log(`seed ${values.seed}\n\n| ${HEAD.join(' | ')} |\n|${' --- |'.repeat(HEAD.length)}`);
for (const scenario of chosen) {
  const outcome = await simulate(scenario, Number(values.seed), (line) => process.stderr.write(`\r\x1b[K${line}`));
  process.stderr.write(
    `\r\x1b[K${scenario.name}: ${outcome.events} events in ${(outcome.tookMs / 1_000).toFixed(1)} s\n`,
  );
  console.log(row(outcome));
  missed.push(...missedBy(scenario, outcome));
}
console.log(['', ...(missed.length === 0 ? ['Every bar was kept.'] : missed)].join('\n'));
process.exitCode = missed.length === 0 ? 0 : 1;

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
