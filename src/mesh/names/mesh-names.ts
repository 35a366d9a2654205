// What the mesh knows of names, asked at their owners: the first of them, the second where the first cannot be reached,
// and nobody where neither can.
import { randomUUID } from 'node:crypto';
import type { Background } from '../../concurrency/background.ts';
import { elapsedMs, type Instant, instant, later, type MeshClock, within } from '../clock.ts';
import type { Member, MemberId } from '../member.ts';
import {
  type LastKnown,
  type Name,
  type NameLease,
  type NameMark,
  type NameOpened,
  type NameOutcome,
  type Names,
  type NameTicket,
  type NameWant,
  NO_LEASE,
  type Validation,
} from '../names.ts';
import { owners } from '../rendezvous.ts';
import { nameKey } from '../slab.ts';
import { type MeshClient, MeshError } from '../transport.ts';
import type { NameCalls, Report } from './name-calls.ts';
import { NAME_OWNERS, type TrackerList } from './name-owner.ts';
import { readOpenLine, readReportReply, writeArriving, writeOpenRequest } from './name-wire.ts';
import { NameWrites } from './name-writes.ts';
import type { OwnerAnswer } from './owned-name.ts';
import { Silence } from './silence.ts';

export interface RefreshableList extends TrackerList {
  readonly self: Member;
  /** Reads the list anew. */
  refresh(signal: AbortSignal): Promise<void>;
}

export interface MeshNamesDeps {
  readonly client: Pick<MeshClient, 'ask' | 'lines'>;
  readonly clock: MeshClock;
  readonly list: RefreshableList;
  /** This gateway as an owner. */
  readonly here: Pick<NameCalls, 'open' | 'report' | 'abandon' | 'begin' | 'end' | 'miss'>;
  readonly background: Pick<Background, 'run'>;
}

export interface MeshNamesOptions {
  readonly nameLeaseMs: number;
  /** How long an owner may take to say that it is there, or to answer what needs nobody else. */
  readonly patienceMs: number;
  /** Of this gateway's shelf. */
  readonly blockSize: number;
}

/** How long an owner that did not answer is passed over by readers. */
const SILENT_MS = 1_000;

/** Where a name was asked for, and how the answer is let go of. */
interface Asked {
  readonly name: Name;
  readonly owner: MemberId;
  /** The owner has said all. */
  readonly done: () => Promise<void>;
  /** Nobody listens any longer. */
  readonly leave: () => Promise<void>;
}

/** A ticket, and how it goes back to the owner. */
class OwnedTicket implements NameTicket {
  readonly name: Name;
  readonly asked: Asked;
  readonly id: string;
  readonly crowded: boolean;
  readonly known: LastKnown | undefined;
  readonly joinableUntil: Instant;

  constructor(asked: Asked, answer: Extract<OwnerAnswer, { kind: 'validate' }>, sent: Instant) {
    this.name = asked.name;
    this.asked = asked;
    this.id = answer.ticket;
    this.crowded = answer.crowded;
    this.known = answer.known;
    this.joinableUntil = later(sent, answer.joinMs);
  }
}

export class MeshNames implements Names {
  readonly alone = false;
  readonly #deps: MeshNamesDeps;
  readonly #options: MeshNamesOptions;
  readonly #writes: NameWrites;
  readonly #silence: Silence;
  readonly #listeners: ((key: string) => void)[] = [];
  readonly #closing = new AbortController();
  #refreshing: Promise<void> | undefined;

  constructor(deps: MeshNamesDeps, options: MeshNamesOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#silence = new Silence(deps, { forMs: SILENT_MS });
    this.#writes = new NameWrites(
      { ...deps, silence: this.#silence, refresh: () => this.#refresh(), signal: this.#closing.signal },
      options,
    );
  }

  async open(name: Name, want: NameWant, signal: AbortSignal): Promise<NameOpened> {
    const { list } = this.#deps;
    const { hash } = list;
    const opened = await this.#openByList(name, want, signal);
    if (opened !== 'moved') return opened;
    await this.#refresh();
    signal.throwIfAborted();
    const again = list.hash === hash ? 'moved' : await this.#openByList(name, want, signal);
    return again === 'moved' ? { kind: 'alone' } : again;
  }

  async report(ticket: NameTicket, validation: Validation): Promise<NameLease> {
    if (!(ticket instanceof OwnedTicket)) return NO_LEASE;
    const sent = instant(this.#deps.clock);
    try {
      const lease = this.#lease(sent, await this.#reportTo(ticket, validation));
      this.#deps.background.run('names', ticket.asked.done());
      return lease;
    } catch {
      // The owner is gone. What the origin said is no less true; only nobody else has it, and it is not kept.
      await ticket.asked.leave();
      return NO_LEASE;
    }
  }

  async abandon(ticket: NameTicket): Promise<void> {
    if (ticket instanceof OwnedTicket) await ticket.asked.leave();
  }

  async begin(names: readonly Name[]): Promise<NameMark> {
    const mark = { id: randomUUID(), names };
    await this.#writes.tell(mark, undefined);
    return mark;
  }

  async end(mark: NameMark, outcome: NameOutcome): Promise<void> {
    await this.#writes.tell(mark, outcome);
  }

  onRevoked(listener: (key: string) => void): void {
    this.#listeners.push(listener);
  }

  /** An owner says so. */
  revoked(key: string): void {
    for (const listener of this.#listeners) listener(key);
  }

  /** Somebody has another list of trackers than this gateway. */
  otherList(): void {
    if (this.#refreshing === undefined && !this.#closing.signal.aborted) {
      this.#deps.background.run('members', this.#refresh());
    }
  }

  close(): void {
    this.#closing.abort(new MeshError('Closed', 'This gateway is leaving the mesh.'));
  }

  async #openByList(name: Name, want: NameWant, signal: AbortSignal): Promise<NameOpened | 'moved'> {
    const { list } = this.#deps;
    for (const owner of owners(nameKey(name), list.trackers(), NAME_OWNERS)) {
      if (this.#silence.isSilent(owner)) continue;
      try {
        return await (owner === list.self.id
          ? this.#openHere(owner, name, want, signal)
          : this.#openAt(owner, name, want, signal));
      } catch (error) {
        signal.throwIfAborted();
        // One that is only busy, or talks nonsense, is asked again by the next reader.
        if (error instanceof MeshError && error.code === 'Unreachable') this.#silence.missed(owner);
      }
    }
    return { kind: 'alone' };
  }

  async #openHere(owner: MemberId, name: Name, want: NameWant, signal: AbortSignal): Promise<NameOpened | 'moved'> {
    const { here, clock, list } = this.#deps;
    const sent = instant(clock);
    const answer = await here.open(list.self, nameKey(name), want, signal);
    const leave = async () => {
      if (answer.kind === 'validate') here.abandon(owner, answer.ticket);
    };
    return this.#opened(answer, sent, { name, owner, done: leave, leave });
  }

  async #openAt(owner: MemberId, name: Name, want: NameWant, signal: AbortSignal): Promise<NameOpened | 'moved'> {
    const { client, clock, list } = this.#deps;
    const sent = instant(clock);
    const body = writeOpenRequest(nameKey(name), want, list.hash);
    // The limit is for its headers; how long its answer takes is decided by the origin somebody asks.
    const leaving = new AbortController();
    const whole = AbortSignal.any([signal, this.#closing.signal, leaving.signal]);
    const late = () => new MeshError('Unreachable', `${owner} did not answer in time.`);
    try {
      const ask = () => client.lines(owner, 'name-open', body, whole);
      const lines = await within(clock, this.#options.patienceMs, signal, ask, late);
      const leave = async () => {
        leaving.abort(new MeshError('Closed', 'Nobody asks any longer.'));
        await lines.return().catch(() => undefined);
      };
      // Read to its end, which the owner has sent already, the connection can be used again.
      const end = () => within(clock, this.#options.patienceMs, whole, () => lines.next(), late);
      const done = async () => {
        await end().then((next) => (next.done === true ? undefined : leave()), leave);
      };
      return await this.#firstLine(lines, sent, { name, owner, done, leave });
    } catch (error) {
      leaving.abort(error);
      throw error;
    }
  }

  async #firstLine(
    lines: AsyncGenerator<unknown, void, undefined>,
    sent: Instant,
    asked: Asked,
  ): Promise<NameOpened | 'moved'> {
    const { value, done } = await lines.next();
    if (done === true) throw new MeshError('Unreachable', `${asked.owner} ended without an answer.`);
    const line = readOpenLine(value);
    if (line.hash !== this.#deps.list.hash) this.otherList();
    if (line.kind !== 'validate') this.#deps.background.run('names', asked.done());
    return this.#opened(line, sent, asked);
  }

  #opened(answer: OwnerAnswer, sent: Instant, asked: Asked): NameOpened | 'moved' {
    if (answer.kind === 'moved') return 'moved';
    if (answer.kind === 'validate') return { kind: 'validate', ticket: new OwnedTicket(asked, answer, sent) };
    return {
      kind: 'answered',
      answer: answer.answer,
      ageMs: answer.ageMs,
      lease: this.#lease(sent, answer),
      joinableUntil: later(sent, answer.joinMs),
    };
  }

  async #reportTo(ticket: OwnedTicket, validation: Validation): Promise<{ leaseMs: number }> {
    const { client, clock, here, list } = this.#deps;
    const { blockSize, patienceMs } = this.#options;
    const { owner } = ticket.asked;
    if (owner === list.self.id) return here.report(owner, ticket.id, reportOf(validation, blockSize));
    const body = { ticket: ticket.id, ...bodyOf(validation, blockSize) };
    const late = () => new MeshError('Unreachable', `${owner} did not answer in time.`);
    const ask = (signal: AbortSignal) => client.ask(owner, 'name-report', body, signal);
    return readReportReply(await within(clock, patienceMs, this.#closing.signal, ask, late));
  }

  #lease(sent: Instant, { leaseMs }: { leaseMs: number }): NameLease {
    if (leaseMs <= 0) return NO_LEASE;
    const { clock } = this.#deps;
    return { holds: () => elapsedMs(sent, instant(clock)) < leaseMs };
  }

  /** Never rejects: what cannot be read now stays as it was. */
  #refresh(): Promise<void> {
    this.#refreshing ??= this.#deps.list
      .refresh(this.#closing.signal)
      .catch(() => undefined)
      .finally(() => {
        this.#refreshing = undefined;
      });
    return this.#refreshing;
  }
}

function reportOf(validation: Validation, blockSize: number): Report {
  if (validation.kind === 'failed') return { reported: undefined, arriving: undefined };
  const { answer, beganMs, arriving: piece } = validation;
  return { reported: { answer, beganMs }, arriving: piece && { piece, blockSize } };
}

function bodyOf(validation: Validation, blockSize: number): object {
  if (validation.kind === 'failed') return { beganMs: 0 };
  const { answer, beganMs, arriving } = validation;
  return { answer, beganMs, ...(arriving && { arriving: writeArriving(arriving, blockSize) }) };
}
