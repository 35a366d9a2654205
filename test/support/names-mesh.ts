// A mesh in memory whose links fail: calls reach the other's handlers as JSON, after a while by a clock; links can be
// slow, cut, or lead to a gateway that is dead or hangs.
import { delay, type MeshClock } from '../../src/mesh/clock.ts';
import type { Member, MemberId } from '../../src/mesh/member.ts';
import { type CallName, type Handler, type Handlers, type MeshClient, MeshError } from '../../src/mesh/transport.ts';

interface Connection {
  /** The run that called, even where another has come after it. */
  readonly caller: Member;
  readonly from: MemberId;
  readonly to: MemberId;
  readonly broken: Promise<never>;
  /** The other side notices. */
  readonly left: AbortSignal;
  break(): void;
}

/** After so long without a sign of life a connection is given up. */
const SILENCE_MS = 500;

export class NamesMesh {
  readonly calls: { readonly from: MemberId; readonly to: MemberId; readonly call: CallName }[] = [];
  /** One way. */
  latencyMs: (from: MemberId, to: MemberId) => number = () => 0.1;
  readonly #clock: MeshClock;
  readonly #members = new Map<MemberId, { member: Member; handlers: Handlers }>();
  readonly #dead = new Set<MemberId>();
  readonly #hung = new Set<MemberId>();
  readonly #cuts = new Set<string>();
  readonly #connections = new Set<Connection>();
  readonly #wakers: (() => void)[] = [];

  constructor(clock: MeshClock) {
    this.#clock = clock;
  }

  join(member: Member, handlers: Handlers): void {
    this.#members.set(member.id, { member, handlers });
    this.#dead.delete(member.id);
    this.#hung.delete(member.id);
  }

  kill(id: MemberId): void {
    this.#dead.add(id);
    for (const connection of this.#connections) if (touches(connection, id)) connection.break();
  }

  /** Takes in nothing and sends nothing until it wakes; connections look alive until they are given up for silent. */
  hang(id: MemberId): void {
    this.#hung.add(id);
    this.#clock.after(SILENCE_MS, () => {
      if (!this.#hung.has(id)) return;
      for (const connection of this.#connections) if (touches(connection, id)) connection.break();
    });
  }

  /** What was on its way arrives late. */
  wake(id: MemberId): void {
    this.#hung.delete(id);
    for (const waker of this.#wakers.splice(0)) waker();
  }

  /** Both ways. */
  cut(one: MemberId, other: MemberId): void {
    this.#cuts.add(link(one, other));
    for (const connection of this.#connections) {
      if (touches(connection, one) && touches(connection, other)) connection.break();
    }
  }

  heal(): void {
    this.#cuts.clear();
  }

  client(self: Member): MeshClient {
    return {
      ask: async (to, call, body, signal) => {
        const connection = this.#connect(self, to, call, signal);
        const answer = this.#answer(connection, call, body);
        return await this.#through(connection, signal, answer);
      },
      lines: async (to, call, body, signal) => {
        const connection = this.#connect(self, to, call, signal);
        await this.#through(connection, signal, this.#arrive(connection), true);
        signal.addEventListener('abort', () => connection.break(), { once: true });
        const handler = this.#at(connection, call);
        if (handler.kind !== 'lines') throw new Error(`'${call}' does not answer in lines.`);
        return this.#lines(connection, handler.handle(json(body), self, connection.left), signal);
      },
      bytes: () => Promise.reject(new Error('No bytes here.')),
    };
  }

  async #answer(connection: Connection, call: CallName, body: unknown): Promise<unknown> {
    await this.#arrive(connection);
    const handler = this.#at(connection, call);
    if (handler.kind !== 'ask') throw new Error(`'${call}' has no one answer.`);
    const answer = json(await handler.handle(json(body), connection.caller, connection.left));
    await this.#arrive(connection);
    return answer;
  }

  /** The other side goes on with its lines whether they are read or not. */
  async *#lines(
    connection: Connection,
    lines: AsyncIterable<unknown>,
    signal: AbortSignal,
  ): AsyncGenerator<unknown, void, undefined> {
    const arrived: Promise<IteratorResult<unknown>>[] = [];
    const iterator = lines[Symbol.asyncIterator]();
    const pull = () => {
      const next = iterator.next().then(async (line) => {
        if (line.done !== true) pull();
        await this.#arrive(connection);
        return line;
      });
      next.catch(() => undefined);
      arrived.push(next);
    };
    pull();
    try {
      for (let next = arrived.shift(); next !== undefined; next = arrived.shift()) {
        const { value, done } = await this.#through(connection, signal, next, true);
        if (done === true) return;
        yield json(value);
      }
    } finally {
      connection.break();
      void iterator.return?.()?.catch(() => undefined);
    }
  }

  #at({ to }: Connection, call: CallName): Handler {
    const handler = this.#members.get(to)?.handlers[call];
    if (handler === undefined) throw new MeshError('Malformed', `No call '${call}'.`);
    return handler;
  }

  #connect(self: Member, to: MemberId, call: CallName, signal: AbortSignal): Connection {
    signal.throwIfAborted();
    this.calls.push({ from: self.id, to, call });
    // A run that was killed stays dead though another has come after it.
    const isOver = this.#members.get(self.id)?.member !== self;
    const isDown = isOver || this.#dead.has(to) || this.#dead.has(self.id) || !this.#members.has(to);
    if (isDown || this.#cuts.has(link(self.id, to))) throw unreachable(to);
    let fail: (error: Error) => void = () => undefined;
    const left = new AbortController();
    const broken = new Promise<never>((_, reject) => {
      fail = reject;
    });
    broken.catch(() => undefined);
    const connection: Connection = {
      caller: self,
      from: self.id,
      to,
      broken,
      left: left.signal,
      break: () => {
        this.#connections.delete(connection);
        fail(unreachable(to));
        left.abort(unreachable(self.id));
      },
    };
    this.#connections.add(connection);
    return connection;
  }

  async #arrive({ from, to }: Connection): Promise<void> {
    await delay(this.#clock, this.latencyMs(from, to));
    while (this.#hung.has(to) || this.#hung.has(from)) {
      await new Promise<void>((resolve) => {
        this.#wakers.push(resolve);
      });
    }
  }

  async #through<T>(connection: Connection, signal: AbortSignal, work: Promise<T>, stays = false): Promise<T> {
    work.catch(() => undefined);
    let leave: () => void = () => undefined;
    const left = new Promise<never>((_, reject) => {
      leave = () => {
        connection.break();
        reject(signal.reason);
      };
    });
    left.catch(() => undefined);
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([work, connection.broken, left]);
    } finally {
      signal.removeEventListener('abort', leave);
      if (!stays) this.#connections.delete(connection);
    }
  }
}

function touches({ from, to }: Connection, id: MemberId): boolean {
  return from === id || to === id;
}

function link(one: MemberId, other: MemberId): string {
  return [one, other].sort().join(' ');
}

function unreachable(id: MemberId): MeshError {
  return new MeshError('Unreachable', `${id} cannot be reached.`);
}

function json(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
