// What the mesh knows of what each object's name stands for now, as whoever reads and writes objects asks it. What an
// answer of the origin says is opaque here: who has it told encodes it, who reads it decodes and checks it.
import type { Piece } from '../pieces/piece.ts';
import type { Instant } from './clock.ts';

/** An object's name as its origin has it. */
export interface Name {
  readonly origin: string;
  readonly bucket: string;
  readonly key: string;
}

/** What the origin said. */
export type NameAnswer =
  | {
      readonly kind: 'known';
      /** JSON. */
      readonly value: unknown;
      /** The question was about the whole object: what the answer does not say does not exist. */
      readonly complete: boolean;
    }
  | { readonly kind: 'missing' };

/** Also: a write brought something that nobody has asked about yet. */
export type LastKnown = NameAnswer | { readonly kind: 'written' };

/** What the caller wants to know, and how old an answer he believes. Infinity: however old. */
export interface NameWant {
  readonly freshMs: number;
  readonly missingFreshMs: number;
  readonly complete: boolean;
}

/** May be believed without asking again, while `holds` says so and nobody has revoked it. */
export interface NameLease {
  holds(): boolean;
}

/** The right to tell the mesh what the origin says, and the duty to ask it. */
export interface NameTicket {
  readonly name: Name;
  /** Others ask the same, or will since nobody may have this answer: bytes that come with it may come twice. */
  readonly crowded: boolean;
  /** What the name stood for when it was last asked about. */
  readonly known: LastKnown | undefined;
  /** Whoever began to read before this instant may have the same answer, unless it had begun to arrive. */
  readonly joinableUntil: Instant;
}

export type NameOpened =
  | {
      readonly kind: 'answered';
      readonly answer: NameAnswer;
      /** Since the question to the origin was sent; at least. */
      readonly ageMs: number;
      readonly lease: NameLease;
      readonly joinableUntil: Instant;
    }
  | { readonly kind: 'validate'; readonly ticket: NameTicket }
  /** Nobody who answers for the name can be reached: ask the origin, and believe nothing but what never changes. */
  | { readonly kind: 'alone' };

export type Validation =
  | {
      readonly kind: 'answered';
      readonly answer: NameAnswer;
      /** From when the ticket was received until the origin's answer began to arrive. */
      readonly beganMs: number;
      /** The piece whose bytes came with the answer, and are arriving here. */
      readonly arriving: Piece | undefined;
    }
  /** The origin did not answer. */
  | { readonly kind: 'failed' };

export interface NameMark {
  readonly id: string;
  readonly names: readonly Name[];
}

export type NameOutcome = 'written' | 'missing' | 'unknown';

export interface Names {
  /** Nobody else reads or writes: one's own records are all there is to know. */
  readonly alone: boolean;
  /** May wait for what somebody else is asking the origin. Rejects only with the signal's reason. */
  open(name: Name, want: NameWant, signal: AbortSignal): Promise<NameOpened>;
  /** Hands the ticket back. Never rejects. */
  report(ticket: NameTicket, validation: Validation): Promise<NameLease>;
  /** Nobody asks any longer; whoever waits asks instead. */
  abandon(ticket: NameTicket): Promise<void>;
  /**
   * Resolves when nobody believes anything older than what is about to be written. Waits as long as that takes, which
   * is bounded, and no client's leaving ends it. Never rejects.
   */
  begin(names: readonly Name[]): Promise<NameMark>;
  /** Resolves when whoever opens a name finds what the write left, or asks. Never rejects. */
  end(mark: NameMark, outcome: NameOutcome): Promise<void>;
  /** Told of each name, by its nameKey, that somebody else is about to write: nothing known of it may be believed. */
  onRevoked(listener: (key: string) => void): void;
}

export const NO_LEASE: NameLease = { holds: () => false };

/** One gateway is the whole mesh. */
export const LONELY_NAMES: Names = {
  alone: true,
  open: () => Promise.resolve({ kind: 'alone' }),
  report: () => Promise.resolve(NO_LEASE),
  abandon: () => Promise.resolve(),
  begin: (names) => Promise.resolve({ id: '', names }),
  end: () => Promise.resolve(),
  onRevoked: () => undefined,
};
