// How gateways ask each other, whatever carries it. Both sides of every call know these types; who may call is settled
// before a handler sees anything.
import type { Member, MemberId } from './member.ts';

/** Names of the calls; a path of the mesh port each. */
export type CallName =
  /** Unary: a JSON value for a JSON value. */
  | 'hello'
  | 'zones'
  | 'announce'
  | 'forget'
  | 'progress'
  | 'peek'
  | 'spare'
  | 'mirror'
  | 'holdings'
  | 'name-report'
  | 'name-begin'
  | 'name-end'
  | 'name-revoke'
  | 'name-touch'
  | 'name-tell'
  | 'name-recall'
  | 'status'
  /** Streamed: headers at once, then a JSON value a line as each is decided. */
  | 'acquire'
  | 'name-open'
  | 'preheat'
  /** Bytes. */
  | 'piece';

/** What every gateway offers the others of its mesh. */
export interface MeshClient {
  /** One answer. Rejects with MeshError. */
  ask(to: MemberId, call: CallName, body: unknown, signal: AbortSignal): Promise<unknown>;
  /**
   * Resolves when the headers are there, which a living gateway sends at once, however long its answers take; each
   * line is one of them. Whoever stops before the end calls return().
   */
  lines(
    to: MemberId,
    call: CallName,
    body: unknown,
    signal: AbortSignal,
  ): Promise<AsyncGenerator<unknown, void, undefined>>;
  /**
   * Bytes as they come, straight into the target's memory. Resolves when all have come; rejects with MeshError, the
   * signal's reason, or what the target throws. Then the target is left alone, but for its memory: what space() gave
   * last may still be written to.
   */
  bytes(to: MemberId, call: CallName, body: unknown, into: ByteTarget, signal: AbortSignal): Promise<void>;
}

/** Where the bytes of an answer go. */
export interface ByteTarget {
  /** Memory for what comes next, at least a byte of it. A promise while there is none: then it is asked again. */
  space(): Uint8Array | Promise<void>;
  /** So many bytes have come, at the beginning of what space() gave last. */
  taken(bytes: number): void;
}

export interface ByteSink {
  /**
   * Parts that go out together. Resolves when they were taken over and their memory may be used again; rejects when the
   * caller has left.
   */
  write(...parts: readonly Uint8Array[]): Promise<void>;
}

/** `caller` is who the transport has proved it to be. Handlers check the shape of `body`, and reject with MeshError. */
type AskHandler = (body: unknown, caller: Member, signal: AbortSignal) => Promise<unknown>;
type LinesHandler = (body: unknown, caller: Member, signal: AbortSignal) => AsyncIterable<unknown>;
/** Headers go out with the first write; an error before it is the answer, one after it cuts the connection. */
type BytesHandler = (body: unknown, caller: Member, out: ByteSink, signal: AbortSignal) => Promise<void>;

export type Handler =
  | { readonly kind: 'ask'; readonly handle: AskHandler }
  | { readonly kind: 'lines'; readonly handle: LinesHandler }
  | { readonly kind: 'bytes'; readonly handle: BytesHandler };

export type Handlers = Readonly<Partial<Record<CallName, Handler>>>;

export type MeshErrorCode =
  /** No connection, it broke, or no headers came in time: ask somebody else. */
  | 'Unreachable'
  /** It does not take us for a member, or may not do what was asked. */
  | 'Refused'
  /** It does not have what was asked for. */
  | 'NotHeld'
  /** It has no room now. */
  | 'Busy'
  /** What came is not what the call allows. */
  | 'Malformed'
  /** Bytes that are not those their digest names, or that nobody vouches for. */
  | 'Unproved'
  | 'Closed';

export class MeshError extends Error {
  override readonly name = 'MeshError';
  readonly code: MeshErrorCode;

  constructor(code: MeshErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
  }
}
