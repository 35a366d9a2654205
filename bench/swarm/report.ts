// What a run prints: a table of figures and bars for people, and one line of JSON for programs.
import { FIGURES, type FigureName, type Judged, rounded, type Verdict } from './figures.ts';
import type { Measured } from './measure.ts';
import type { Scenario } from './presets.ts';

const WORDS: Readonly<Record<Verdict, string>> = { aimed: 'as aimed', required: 'as required', missed: 'MISSED' };

const COLUMNS: readonly FigureName[] = ['lastSeconds', 'overIdeal', 'overBound', 'originBody', 'originWire', 'busiest'];

export function tableHead(): string {
  const names = [
    'scenario',
    ...COLUMNS.map((name) => FIGURES[name]),
    'ok',
    'CPU',
    'of it lab',
    'starved',
    'drops',
    'bars',
    'valid',
  ];
  return [row(names), row(names.map(() => '---'))].join('\n');
}

export function tableRow({ scenario, pieceSize, measured, judged }: Result): string {
  const { figures, problems, processors, shares, drops, isValid } = measured;
  const ok = measured.peers.filter(({ seconds }) => seconds !== undefined).length;
  return row([
    `${scenario.name}, ${pieceSize}`,
    ...COLUMNS.map((figure) => rounded(figures[figure]).toFixed(figure === 'lastSeconds' ? 1 : 3)),
    problems.length === 0 ? `${ok}` : `${ok}, ${problems.length} FAILED`,
    processors.toFixed(2),
    shares?.lab.toFixed(2) ?? '?',
    shares?.starved.toFixed(3) ?? '?',
    `${drops}`,
    judged.some(({ verdict }) => verdict === 'missed') || problems.length > 0 ? 'missed' : 'met',
    isValid ? 'yes' : 'NO',
  ]);
}

/** One a line. */
export function barLines(judged: readonly Judged[]): string {
  return judged
    .map(({ figure, value, atMost, aim, verdict }) => {
      const aimed = aim === undefined ? '' : `, aim ${aim}`;
      return `  ${FIGURES[figure]}: ${value.toFixed(3)} (at most ${atMost}${aimed}): ${WORDS[verdict]}`;
    })
    .join('\n');
}

export interface Result {
  readonly scenario: Scenario;
  readonly pieceSize: string;
  readonly set: readonly string[];
  readonly measured: Measured;
  readonly judged: readonly Judged[];
}

export function jsonLine({ scenario, pieceSize, set, measured, judged }: Result): string {
  const { bars: _, ...what } = scenario;
  const { figures, ...rest } = measured;
  return JSON.stringify({ ...what, pieceSize, set, ...figures, ...rest, bars: judged }, (_key, value) =>
    typeof value === 'number' ? rounded(value) : value,
  );
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
