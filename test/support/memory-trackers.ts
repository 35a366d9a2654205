// Gateways that ask each other in one process, without sockets. What is said goes through JSON, as on the wire; members
// can be cut off, hang, and be counted.
import type { Member, MemberId } from '../../src/mesh/member.ts';
import {
  type ByteSink,
  type CallName,
  type Handler,
  type Handlers,
  type MeshClient,
  MeshError,
} from '../../src/mesh/transport.ts';
import { pourInto } from './received-bytes.ts';

export class MemoryMesh {
  readonly calls: { readonly from: MemberId; readonly to: MemberId; readonly call: CallName }[] = [];
  /** Calls to them are refused a connection. */
  readonly down = new Set<MemberId>();
  /** Calls to them are never answered. */
  readonly hung = new Set<MemberId>();
  readonly #handlers = new Map<MemberId, Handlers>();

  serve(id: MemberId, handlers: Handlers): void {
    this.#handlers.set(id, { ...this.#handlers.get(id), ...handlers });
  }

  count(call: CallName, to?: MemberId): number {
    return this.calls.filter((made) => made.call === call && (to === undefined || made.to === to)).length;
  }

  client(self: Member): MeshClient {
    return {
      ask: async (to, call, body, signal) => {
        const handler = await this.#reach(self, to, call, 'ask', signal);
        return overWire(await left(handler.handle(overWire(body), self, signal), signal));
      },
      lines: async (to, call, body, signal) => {
        const handler = await this.#reach(self, to, call, 'lines', signal);
        return this.#lines(to, handler.handle(overWire(body), self, signal), signal);
      },
      bytes: async (to, call, body, into, signal) => {
        const handler = await this.#reach(self, to, call, 'bytes', signal);
        const pipe = new Pipe(to, signal);
        await pipe.begin((out) => handler.handle(overWire(body), self, out, pipe.left.signal));
        for await (const chunk of pipe.chunks()) await left(pourInto(into, chunk), signal);
      },
    };
  }

  async *#lines(
    to: MemberId,
    lines: AsyncIterable<unknown>,
    signal: AbortSignal,
  ): AsyncGenerator<unknown, void, undefined> {
    const iterator = lines[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await left(iterator.next(), signal);
        if (this.down.has(to)) throw unreachable(to);
        if (next.done === true) return;
        yield overWire(next.value);
      }
    } finally {
      // As a server ends an answer whose connection has closed: when it comes round to it.
      void iterator.return?.();
    }
  }

  async #reach<Kind extends Handler['kind']>(
    self: Member,
    to: MemberId,
    call: CallName,
    kind: Kind,
    signal: AbortSignal,
  ): Promise<Handler & { kind: Kind }> {
    signal.throwIfAborted();
    this.calls.push({ from: self.id, to, call });
    await Promise.resolve();
    if (this.hung.has(to)) await left(new Promise(() => undefined), signal);
    const handler = this.#handlers.get(to)?.[call];
    if (this.down.has(to) || handler === undefined) throw unreachable(to);
    if (handler.kind !== kind) throw new Error(`'${call}' is no call of this kind.`);
    return handler as Handler & { kind: Kind };
  }
}

/** Bytes from one handler to one caller, each chunk taken over before the next is asked for. */
class Pipe {
  readonly left = new AbortController();
  readonly #to: MemberId;
  readonly #signal: AbortSignal;
  readonly #chunks: {
    readonly bytes: Buffer;
    readonly taken: () => void;
    readonly refused: (error: unknown) => void;
  }[] = [];
  #ended: { readonly error: unknown } | undefined;
  #wake: () => void = () => undefined;

  constructor(to: MemberId, signal: AbortSignal) {
    this.#to = to;
    this.#signal = signal;
    signal.addEventListener('abort', () => this.left.abort(), { once: true });
    this.left.signal.addEventListener('abort', () => {
      for (const { refused } of this.#chunks) refused(unreachable('the caller'));
    });
  }

  /** Resolves with the first byte; rejects with what the handler says instead. */
  async begin(run: (out: ByteSink) => Promise<void>): Promise<void> {
    const write = (...parts: readonly Uint8Array[]) =>
      new Promise<void>((taken, refused) => {
        if (this.left.signal.aborted) refused(unreachable('the caller'));
        this.#chunks.push({ bytes: Buffer.concat(parts), taken, refused });
        this.#wake();
      });
    void run({ write }).then(
      () => this.#end(undefined),
      (error: unknown) => this.#end(error),
    );
    await this.#some();
    if (this.#chunks.length === 0 && this.#ended?.error !== undefined) throw this.#ended.error;
  }

  async *chunks(): AsyncGenerator<Buffer, void, undefined> {
    try {
      for (;;) {
        await this.#some();
        const [chunk] = this.#chunks;
        if (chunk !== undefined) {
          yield chunk.bytes;
          this.#chunks.shift();
          chunk.taken();
        } else if (this.#ended?.error === undefined) return;
        else throw new MeshError('Unreachable', `${this.#to} broke off.`, { cause: this.#ended.error });
      }
    } finally {
      this.left.abort();
    }
  }

  #end(error: unknown): void {
    this.#ended = { error };
    this.#wake();
  }

  async #some(): Promise<void> {
    while (this.#chunks.length === 0 && this.#ended === undefined) {
      await left(
        new Promise<void>((resolve) => {
          this.#wake = resolve;
        }),
        this.#signal,
      );
    }
  }
}

function overWire(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value ?? null));
}

function unreachable(to: MemberId): MeshError {
  return new MeshError('Unreachable', `${to} cannot be reached.`);
}

/** Whatever comes first: the answer, or the caller's leaving. */
function left<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const leave = () => reject(signal.reason);
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}
