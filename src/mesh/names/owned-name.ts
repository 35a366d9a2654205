// What an owner keeps of one name: what it is now, who writes it, who asks about it, who may believe it.
import type { MemberId, Run } from '../member.ts';
import type { LastKnown, NameAnswer, NameWant } from '../names.ts';

/** An answer of the origin that may be given to others. */
export interface NameRecord {
  readonly answer: NameAnswer;
  /** When the question was sent, or earlier. */
  readonly askedAtMs: number;
}

interface Mark {
  readonly generation: number;
  readonly begunAtMs: number;
  /** This owner was in touch with its fellow then, and will hear of every write that goes past it. */
  readonly certain: boolean;
  /** It is no longer open. */
  closed(): void;
}

interface Lease {
  readonly member: MemberId;
  readonly untilMs: number;
}

export interface OwnedName {
  readonly key: string;
  /** Leases on it that were forgotten with an earlier record have run out by then. */
  readonly forgottenUntilMs: number;
  /** Which of the owner's memories this belongs to: records of another one are not believed. */
  epoch: number;
  /** Raised by each begin and end of a write: what was asked before is not believed after it. */
  generation: number;
  record: NameRecord | undefined;
  /** Not to be believed; what to ask about. */
  lastKnown: LastKnown | undefined;
  /** Its other owner has said what it knows of it. */
  recalled: boolean;
  readonly marks: Map<string, Mark>;
  /** The question to join; others may be under way. */
  validation: Ticket | undefined;
  tickets: number;
  /** Who may believe the record, or let others join a question, without asking, by its run. Soonest first, about. */
  readonly leases: Map<string, Lease>;
}

/** What the owner tells whoever opens a name. Durations count from when it was asked. */
export type OwnerAnswer =
  | {
      readonly kind: 'answered';
      readonly answer: NameAnswer;
      readonly ageMs: number;
      readonly leaseMs: number;
      readonly joinMs: number;
    }
  | {
      readonly kind: 'validate';
      readonly ticket: string;
      readonly known?: LastKnown | undefined;
      readonly crowded: boolean;
      readonly joinMs: number;
    }
  /** Others answer for this name. */
  | { readonly kind: 'moved' };

/** Somebody who opens a name. */
export interface Asker {
  readonly caller: Run;
  readonly want: NameWant;
  readonly arrivedAtMs: number;
  /** For how long after he came it is certain that no write went past this owner; 0: it is not certain. */
  readonly certainMs: number;
}

export interface Waiter extends Asker {
  waitsFor: Ticket | undefined;
  answer(answer: OwnerAnswer): void;
}

export interface Ticket {
  readonly id: string;
  readonly name: OwnedName;
  readonly asker: Asker;
  readonly generation: number;
  /** Its answer is for its caller alone and becomes no record. */
  readonly solo: boolean;
  readonly grantedAtMs: number;
  readonly waiters: Set<Waiter>;
  /** It has been handed back, or is no longer waited for. */
  readonly settled: Promise<void>;
  settle(): void;
}

/** The answer says all that is wanted of it. */
export function suffices(answer: NameAnswer, want: Pick<NameWant, 'complete'>): boolean {
  return answer.kind === 'missing' || answer.complete || !want.complete;
}

/** How much longer somebody with this want believes the record; 0: no longer. */
export function freshForMs({ answer, askedAtMs }: NameRecord, want: NameWant, nowMs: number): number {
  if (!suffices(answer, want)) return 0;
  const limitMs = answer.kind === 'missing' ? want.missingFreshMs : want.freshMs;
  return Math.max(0, limitMs - (nowMs - askedAtMs));
}

export function openName(key: string, epoch: number, forgottenUntilMs: number): OwnedName {
  return {
    key,
    forgottenUntilMs,
    epoch,
    generation: 0,
    record: undefined,
    lastKnown: undefined,
    recalled: false,
    marks: new Map(),
    validation: undefined,
    tickets: 0,
    leases: new Map(),
  };
}

/** Nothing that was asked so far is believed from here on, nor joined. */
export function disbelieve(name: OwnedName): void {
  name.generation += 1;
  name.record = undefined;
  name.validation = undefined;
}

/** Answers what it granted; a longer lease that the caller has stands. */
export function grantLease({ leases }: OwnedName, caller: Run, ms: number, nowMs: number): number {
  if (ms <= 0) return 0;
  for (const [holder, { untilMs }] of leases) {
    if (untilMs > nowMs) break;
    leases.delete(holder);
  }
  const run = runId(caller);
  const untilMs = Math.max(leases.get(run)?.untilMs ?? 0, nowMs + ms);
  leases.delete(run);
  leases.set(run, { member: caller.id, untilMs });
  return ms;
}

/** The caller believes nothing any longer; of what another run of its gateway believes it knows nothing. */
export function dropLease({ leases }: OwnedName, caller: Run): void {
  leases.delete(runId(caller));
}

/** When the last lease on it has run out. */
export function leasedUntilMs({ leases }: OwnedName): number {
  return Math.max(0, ...[...leases.values()].map(({ untilMs }) => untilMs));
}

function runId({ id, incarnation }: Run): string {
  return `${id} ${incarnation}`;
}
