// What a gateway answers others about names, and itself where it is the owner.
import type { Member, MemberId, Run } from '../member.ts';
import type { NameOutcome, NameWant } from '../names.ts';
import type { Handlers } from '../transport.ts';
import type { FellowTouch } from './fellow-touch.ts';
import type { NameOwner, TrackerList } from './name-owner.ts';
import {
  type Arriving,
  type OpenLine,
  readBeginRequest,
  readEndRequest,
  readOpenRequest,
  readRecallRequest,
  readReportRequest,
  readRevokeRequest,
  readTellRequest,
  readTouchRequest,
  type WriteReply,
} from './name-wire.ts';
import type { OwnerAnswer } from './owned-name.ts';
import type { Reported } from './questions.ts';

export interface NameCallsDeps {
  readonly owner: Pick<
    NameOwner,
    'open' | 'report' | 'giveUp' | 'settled' | 'begin' | 'end' | 'remember' | 'lastKnown'
  >;
  readonly touch: Pick<FellowTouch, 'confirm' | 'miss'>;
  readonly list: Pick<TrackerList, 'hash'>;
  readonly otherList: () => void;
  /** Nothing this gateway knows of the name may be believed. */
  readonly revoked: (key: string) => void;
  /** The caller has begun to receive this piece; told before those who wait for the answer ask who has it. */
  readonly arriving: (caller: MemberId, arriving: Arriving) => void;
}

/** What the owner is told of a ticket; without an answer: the origin gave none. */
export interface Report {
  readonly reported: Reported | undefined;
  readonly arriving: Arriving | undefined;
}

export class NameCalls {
  readonly handlers: Handlers = {
    'name-open': { kind: 'lines', handle: (body, caller, signal) => this.#openInLines(body, caller, signal) },
    'name-report': { kind: 'ask', handle: async (body, caller) => this.#readReport(body, caller) },
    'name-begin': { kind: 'ask', handle: (body, caller) => this.#readBegin(body, caller) },
    'name-end': { kind: 'ask', handle: (body, caller) => this.#readEnd(body, caller) },
    'name-revoke': { kind: 'ask', handle: async (body) => this.#readRevoke(body) },
    'name-touch': { kind: 'ask', handle: async (body, caller) => this.#readTouch(body, caller) },
    'name-tell': { kind: 'ask', handle: async (body, caller) => this.#readTell(body, caller) },
    'name-recall': { kind: 'ask', handle: async (body) => this.#readRecall(body) },
  };
  readonly #deps: NameCallsDeps;

  constructor(deps: NameCallsDeps) {
    this.#deps = deps;
  }

  open(caller: Run, key: string, want: NameWant, signal: AbortSignal): Promise<OwnerAnswer> {
    return this.#deps.owner.open(key, caller, want, signal);
  }

  report(caller: MemberId, ticket: string, { reported, arriving }: Report): { leaseMs: number } {
    const { owner } = this.#deps;
    if (arriving !== undefined) this.#deps.arriving(caller, arriving);
    if (reported !== undefined) return owner.report(ticket, caller, reported);
    owner.giveUp(ticket, caller, 'failed');
    return { leaseMs: 0 };
  }

  abandon(caller: MemberId, ticket: string): void {
    this.#deps.owner.giveUp(ticket, caller, 'left');
  }

  async begin(caller: Run, mark: string, keys: readonly string[]): Promise<WriteReply> {
    const { waitMs } = await this.#deps.owner.begin(mark, keys, caller);
    return { hash: this.#deps.list.hash, waitMs };
  }

  async end(caller: Run, mark: string, keys: readonly string[], outcome: NameOutcome): Promise<WriteReply> {
    const { waitMs } = await this.#deps.owner.end(mark, keys, outcome, caller);
    return { hash: this.#deps.list.hash, waitMs };
  }

  revoke(keys: readonly string[]): void {
    for (const key of keys) this.#deps.revoked(key);
  }

  miss(missed: MemberId): { waitMs: number } {
    return { waitMs: this.#deps.touch.miss(missed) };
  }

  /** One line; after a ticket the answer stays open until it is handed back, so that a caller who dies is noticed. */
  async *#openInLines(body: unknown, caller: Member, signal: AbortSignal): AsyncGenerator<OpenLine, void, undefined> {
    const { key, hash, ...want } = readOpenRequest(body);
    this.#compare(hash);
    const answer = await this.open(caller, key, want, signal);
    const line = { ...answer, hash: this.#deps.list.hash };
    if (line.kind !== 'validate') {
      yield line;
      return;
    }
    try {
      yield line;
      await settledOr(this.#deps.owner.settled(line.ticket), signal);
    } finally {
      this.abandon(caller.id, line.ticket);
    }
  }

  #readReport(body: unknown, caller: Member): { leaseMs: number } {
    const { ticket, answer, beganMs, arriving } = readReportRequest(body);
    return this.report(caller.id, ticket, { reported: answer && { answer, beganMs }, arriving });
  }

  #readBegin(body: unknown, caller: Member): Promise<WriteReply> {
    const { hash, mark, keys } = readBeginRequest(body);
    this.#compare(hash);
    return this.begin(caller, mark, keys);
  }

  #readEnd(body: unknown, caller: Member): Promise<WriteReply> {
    const { hash, mark, keys, outcome } = readEndRequest(body);
    this.#compare(hash);
    return this.end(caller, mark, keys, outcome);
  }

  #readRevoke(body: unknown): object {
    this.revoke(readRevokeRequest(body).keys);
    return {};
  }

  #readTouch(body: unknown, caller: Member): object {
    const { hash, missed } = readTouchRequest(body);
    return missed === undefined ? this.#deps.touch.confirm(caller.id, hash) : this.miss(missed);
  }

  #readTell(body: unknown, caller: Member): object {
    this.#deps.owner.remember(caller.id, readTellRequest(body).names);
    return {};
  }

  #readRecall(body: unknown): object {
    return { known: this.#deps.owner.lastKnown(readRecallRequest(body).key) };
  }

  #compare(hash: string): void {
    if (hash !== this.#deps.list.hash) this.#deps.otherList();
  }
}

function settledOr(settled: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    const leave = () => resolve();
    signal.addEventListener('abort', leave, { once: true });
    settled.then(() => {
      signal.removeEventListener('abort', leave);
      resolve();
    });
  });
}
