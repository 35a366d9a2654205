// The figures of one run, and what they say against the scenario's bars.
import type { Bar } from './presets.ts';

export interface Figures {
  /** From its start to its last byte, of the client that took longest. */
  readonly lastSeconds: number;
  /** ÷ (S ÷ R). */
  readonly overIdeal: number;
  /** ÷ the fluid bound. */
  readonly overBound: number;
  /** Beyond 1.15 × (S ÷ R). */
  readonly lateSeconds: number;
  /** Bytes of bodies that the origin gave ÷ bytes that were asked for, each counted once. */
  readonly originBody: number;
  /** The same with headers and retransmissions, until the last client was done. */
  readonly originWire: number;
  /** Bytes that the busiest gateway sent ÷ the mean of all. */
  readonly busiest: number;
}

export type FigureName = keyof Figures;

export const FIGURES: Readonly<Record<FigureName, string>> = {
  lastSeconds: 'last (s)',
  overIdeal: '÷ (S÷R)',
  overBound: '÷ bound',
  lateSeconds: 'late (s)',
  originBody: 'origin body ÷ S',
  originWire: 'origin wire ÷ S',
  busiest: 'busiest ÷ mean',
};

export type Verdict = 'aimed' | 'required' | 'missed';

export interface Judged extends Bar {
  readonly value: number;
  readonly verdict: Verdict;
}

/** As they are printed: what rounds to the bar meets it. */
export function judge(figures: Figures, bars: readonly Bar[]): readonly Judged[] {
  return bars.map((bar) => {
    const value = rounded(figures[bar.figure]);
    if (value <= (bar.aim ?? bar.atMost)) return { ...bar, value, verdict: 'aimed' };
    return { ...bar, value, verdict: value <= bar.atMost ? 'required' : 'missed' };
  });
}

export function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
