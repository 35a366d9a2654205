// One question about a name: to the mesh, which knows, or says that it is this gateway's turn to ask the origin.
import type { ObjectRef } from '../../backends/backend.ts';
import { BackendError } from '../../backends/backend.ts';
import { type Instant, isWithin } from '../mesh/clock.ts';
import { type Name, type NameLease, type Names, type NameTicket, NO_LEASE } from '../mesh/names.ts';
import { decodeAnswer, encodeAnswer } from './name-answer.ts';
import type { NameRecord } from './name-records.ts';
import type { Freshness, ProbeAnswer, Prober, Wanted } from './versions.ts';

export interface Question {
  readonly ref: ObjectRef;
  readonly name: Name;
  readonly freshness: Freshness;
  readonly wanted: Wanted;
  /** What it was when it was last asked about here. */
  readonly known: NameRecord | undefined;
}

/** What the origin said, now or a while ago. */
export interface Asked {
  readonly record: OriginRecord;
  readonly lease: NameLease;
  /** Whoever began to read no later than this may have the answer too; undefined: whoever waits for it. */
  readonly joinableUntil: Instant | undefined;
}

type OriginRecord = Exclude<NameRecord, { kind: 'written' }>;

export interface AskedNamesDeps {
  readonly prober: Prober;
  readonly names: Pick<Names, 'open' | 'report' | 'abandon'>;
  /** Now, on both clocks. */
  readonly instant: () => Instant;
}

export class AskedNames {
  readonly #deps: AskedNamesDeps;

  constructor(deps: AskedNamesDeps) {
    this.#deps = deps;
  }

  /** Rejects with what the origin answers, or with the signal's reason. */
  async ask(question: Question, signal: AbortSignal): Promise<Asked> {
    const { freshness, wanted } = question;
    const sent = this.#deps.instant();
    const want = { ...freshness, complete: wanted.complete };
    const opened = await this.#deps.names.open(question.name, want, signal);
    if (opened.kind === 'validate') return this.#validate(question, opened.ticket, signal);
    if (opened.kind === 'alone') return this.#alone(question, signal);
    const record = originRecord(decodeAnswer(opened.answer, sent.monotonicMs - opened.ageMs));
    if (record === undefined) return this.#alone({ ...question, known: undefined }, signal);
    return { record, lease: opened.lease, joinableUntil: opened.joinableUntil };
  }

  /** Nobody who answers for the name can be reached: only what never changes is believed. */
  async #alone({ ref, freshness, wanted, known }: Question, signal: AbortSignal): Promise<Asked> {
    const unchanging = known?.kind === 'known' && freshness.freshMs === Number.POSITIVE_INFINITY;
    if (unchanging && (known.complete || !wanted.complete)) {
      return { record: known, lease: NO_LEASE, joinableUntil: undefined };
    }
    const sent = this.#deps.instant();
    const answer = await this.#deps.prober.probe(ref, known, wanted, signal);
    return { record: recordFrom(answer, known, sent.monotonicMs), lease: NO_LEASE, joinableUntil: undefined };
  }

  async #validate(question: Question, ticket: NameTicket, signal: AbortSignal): Promise<Asked> {
    const { names, prober, instant } = this.#deps;
    const received = instant();
    const known = knownOf(ticket, question.known);
    // Where others ask the same, bytes that come with the answer may come twice.
    const wanted = ticket.crowded ? { ...question.wanted, offset: undefined } : question.wanted;
    try {
      const answer = await prober.probe(question.ref, known, wanted, signal);
      const began = instant();
      const record = recordFrom(answer, known, received.monotonicMs);
      const lease = await names.report(ticket, {
        kind: 'answered',
        answer: encodeAnswer(record),
        beganMs: began.monotonicMs - received.monotonicMs,
        arriving: answer.kind === 'found' ? answer.arriving : undefined,
      });
      return { record, lease, joinableUntil: earlier(ticket.joinableUntil, began) };
    } catch (error) {
      if (signal.aborted) await names.abandon(ticket);
      else await names.report(ticket, { kind: 'failed' });
      throw error;
    }
  }
}

/** What the owner knows is newer than what this gateway does. */
function knownOf(ticket: NameTicket, known: NameRecord | undefined): NameRecord | undefined {
  return (ticket.known && decodeAnswer(ticket.known, Number.NEGATIVE_INFINITY)) ?? known;
}

function originRecord(record: NameRecord | undefined): OriginRecord | undefined {
  return record?.kind === 'written' ? undefined : record;
}

function earlier(one: Instant, other: Instant): Instant {
  return isWithin(one, other) ? one : other;
}

function recordFrom(answer: ProbeAnswer, known: NameRecord | undefined, askedAtMs: number): OriginRecord {
  if (answer.kind === 'missing') return { kind: 'missing', askedAtMs };
  if (answer.kind === 'found') return { kind: 'known', info: answer.info, complete: answer.complete, askedAtMs };
  if (known?.kind === 'known') return { ...known, askedAtMs };
  throw new BackendError('Internal', 'The origin answered that an object is unchanged which was never asked about.');
}
