// Who asks the origin about a name, and who waits for the answer: one at a time, and only those may have it who came
// before it had begun to arrive. Whoever asked and is not heard of again is replaced by the next who waits.
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { MeshClock } from '../clock.ts';
import type { MemberId } from '../member.ts';
import type { NameAnswer } from '../names.ts';
import {
  type Asker,
  freshForMs,
  grantLease,
  type NameRecord,
  type OwnedName,
  type OwnerAnswer,
  suffices,
  type Ticket,
  type Waiter,
} from './owned-name.ts';

export interface QuestionsDeps {
  readonly clock: Pick<MeshClock, 'now' | 'after'>;
  /** The name got a ticket, or gave one back. */
  readonly changed: (name: OwnedName) => void;
  /** What it last stood for is another than before. */
  readonly learnt: (name: OwnedName, known: NameAnswer) => void;
}

export interface QuestionsOptions {
  readonly nameLeaseMs: number;
  readonly validatorTtlMs: number;
}

export interface Reported {
  readonly answer: NameAnswer;
  /** From when the ticket was received until the answer began to arrive. */
  readonly beganMs: number;
}

export class Questions {
  readonly #deps: QuestionsDeps;
  readonly #options: QuestionsOptions;
  readonly #tickets = new Map<string, Ticket>();

  constructor(deps: QuestionsDeps, options: QuestionsOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** The record, a ticket, or what the one who has the ticket reports. Rejects with the signal's reason. */
  open(name: OwnedName, asker: Asker, signal: AbortSignal): OwnerAnswer | Promise<OwnerAnswer> {
    return this.#atOnce(name, asker) ?? this.#wait(name, asker, signal);
  }

  /** Whose ticket this is; undefined: nobody's any longer. */
  callerOf(id: string): MemberId | undefined {
    return this.#tickets.get(id)?.asker.caller.id;
  }

  /** Resolves when the ticket was handed back or is no longer waited for. */
  settled(id: string): Promise<void> {
    return this.#tickets.get(id)?.settled ?? Promise.resolve();
  }

  /** Answers for how long its caller may believe what he reports. What nobody waits for any longer changes nothing. */
  report(id: string, { answer, beganMs }: Reported): { leaseMs: number } {
    const ticket = this.#take(id);
    if (ticket === undefined) return { leaseMs: 0 };
    const { name, grantedAtMs } = ticket;
    const record = { answer, askedAtMs: grantedAtMs };
    const isUnwritten = name.generation === ticket.generation && name.marks.size === 0;
    const isCurrent = isUnwritten && !ticket.solo;
    if (isUnwritten && (name.record === undefined || name.record.askedAtMs <= grantedAtMs)) {
      if (isCurrent) name.record = record;
      // Nobody believes it, so nobody need be certain: it saves whoever asks next the bytes that the mesh has.
      const isNews = !isDeepStrictEqual(name.lastKnown, answer);
      name.lastKnown = answer;
      if (isNews) this.#deps.learnt(name, answer);
    }
    const late: Waiter[] = [];
    for (const waiter of ticket.waiters) {
      const joinMs = grantedAtMs + beganMs - waiter.arrivedAtMs;
      if (joinMs < 0 || !suffices(answer, waiter.want)) late.push(waiter);
      else waiter.answer(this.#answered(name, waiter, record, isCurrent ? joinMs : 0));
    }
    for (const waiter of late) this.#askAgain(name, waiter);
    return { leaseMs: isCurrent ? this.#grantWhileFresh(name, ticket.asker, record) : 0 };
  }

  /** The next who waits asks the origin. */
  replace(id: string): void {
    const ticket = this.#take(id);
    if (ticket === undefined) return;
    for (const waiter of ticket.waiters) this.#askAgain(ticket.name, waiter);
  }

  /** The origin did not answer; each who waits asks it for himself, so that nobody waits through many failures. */
  fail(id: string): void {
    const ticket = this.#take(id);
    if (ticket === undefined) return;
    for (const waiter of ticket.waiters) waiter.answer(this.#ask(ticket.name, waiter, 0));
  }

  get #now(): number {
    return this.#deps.clock.now();
  }

  #atOnce(name: OwnedName, asker: Asker): OwnerAnswer | undefined {
    const certainMs = this.#certainMs(asker);
    if (certainMs <= 0 || name.marks.size > 0) return this.#ask(name, asker, 0);
    const { record, validation } = name;
    const freshMs = record === undefined ? 0 : freshForMs(record, asker.want, this.#now);
    if (record !== undefined && freshMs > 0) return this.#answered(name, asker, record, Math.min(freshMs, certainMs));
    const joinMs = this.#grant(name, asker, certainMs);
    return validation === undefined || !canJoin(validation, asker) ? this.#ask(name, asker, joinMs) : undefined;
  }

  #wait(name: OwnedName, asker: Asker, signal: AbortSignal): Promise<OwnerAnswer> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        waiter.waitsFor?.waiters.delete(waiter);
        reject(signal.reason);
      };
      const waiter: Waiter = {
        ...asker,
        waitsFor: undefined,
        answer: (answer) => {
          signal.removeEventListener('abort', leave);
          resolve(answer);
        },
      };
      join(name.validation, waiter);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  /** Of a waiter whose ticket brought nothing for him. What was asked after he came is new enough for any want. */
  #askAgain(name: OwnedName, waiter: Waiter): void {
    const { record } = name;
    const isOpen = this.#certainMs(waiter) > 0 && name.marks.size === 0;
    if (
      isOpen &&
      record !== undefined &&
      record.askedAtMs >= waiter.arrivedAtMs &&
      suffices(record.answer, waiter.want)
    ) {
      waiter.answer(this.#answered(name, waiter, record, 0));
      return;
    }
    const answer = this.#atOnce(name, waiter);
    if (answer === undefined) join(name.validation, waiter);
    else waiter.answer(answer);
  }

  /** For how long it is still certain that no write went past this owner. */
  #certainMs({ arrivedAtMs, certainMs }: Asker): number {
    return Math.max(0, arrivedAtMs + certainMs - this.#now);
  }

  /** `joinMs`: for how long after he came others of his gateway may have his answer; 0: he may not keep it either. */
  #answered(name: OwnedName, asker: Asker, record: NameRecord, joinMs: number): OwnerAnswer {
    const leaseMs = name.record === record ? this.#grantWhileFresh(name, asker, record) : 0;
    return {
      kind: 'answered',
      answer: record.answer,
      ageMs: this.#now - record.askedAtMs,
      leaseMs,
      joinMs: Math.min(joinMs, this.#options.nameLeaseMs, asker.certainMs),
    };
  }

  /** A question for this caller to ask. Others join it where he may let them. */
  #ask(name: OwnedName, asker: Asker, joinMs: number): OwnerAnswer {
    const id = randomUUID();
    const cancel = this.#deps.clock.after(this.#options.validatorTtlMs, () => this.replace(id));
    const { promise: settled, resolve } = withResolvers();
    const settle = () => {
      cancel();
      resolve();
    };
    const solo = joinMs <= 0;
    const { generation } = name;
    const ticket = {
      id,
      name,
      asker,
      generation,
      solo,
      grantedAtMs: this.#now,
      waiters: new Set<Waiter>(),
      settled,
      settle,
    };
    // Where nobody may have his answer the others ask as well.
    const crowded = solo || name.tickets > 0;
    name.tickets += 1;
    if (!solo) name.validation = ticket;
    this.#tickets.set(id, ticket);
    this.#deps.changed(name);
    return { kind: 'validate', ticket: id, known: name.lastKnown, crowded, joinMs };
  }

  #take(id: string): Ticket | undefined {
    const ticket = this.#tickets.get(id);
    if (ticket === undefined) return undefined;
    const { name } = ticket;
    this.#tickets.delete(id);
    ticket.settle();
    name.tickets -= 1;
    if (name.validation === ticket) name.validation = undefined;
    this.#deps.changed(name);
    return ticket;
  }

  #grantWhileFresh(name: OwnedName, asker: Asker, record: NameRecord): number {
    return this.#grant(name, asker, Math.min(freshForMs(record, asker.want, this.#now), this.#certainMs(asker)));
  }

  #grant(name: OwnedName, { caller }: Asker, ms: number): number {
    return grantLease(name, caller, Math.min(ms, this.#options.nameLeaseMs), this.#now);
  }
}

function canJoin(ticket: Ticket, asker: Asker): boolean {
  return ticket.asker.want.complete || !asker.want.complete;
}

function join(ticket: Ticket | undefined, waiter: Waiter): void {
  waiter.waitsFor = ticket;
  ticket?.waiters.add(waiter);
}

/** Promise.withResolvers, which Node 20 lacks. */
function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
