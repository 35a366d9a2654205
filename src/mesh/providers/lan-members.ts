// The trackers on the local network, found by multicast DNS. Each says every little while that it is there; a question
// is asked once, at the start. Who is not heard of any more lapses.
import { setTimeout as wait } from 'node:timers/promises';
import multicastDns, { type MulticastDNS, type QueryPacket, type ResponsePacket } from 'multicast-dns';
import { untilAborted } from '../../concurrency/until-aborted.ts';
import type { MemberId } from '../member.ts';
import { announce, announced, SERVICE, type SharedKey } from './lan-records.ts';
import type { MembersProvider } from './provider.ts';

export interface LanMembersOptions {
  readonly key: SharedKey;
  /** How long a gateway stays on the list that says nothing more. */
  readonly ttlMs: number;
  /** Address of the interface to use; undefined: that of the default route. */
  readonly interface?: string | undefined;
  /** Default: that of multicast DNS. */
  readonly port?: number | undefined;
}

/** Milliseconds on a clock that never jumps. */
type Clock = () => number;

/** How long answers are waited for; each comes after a delay of its own (RFC 6762, section 6). */
const COLLECT_MS = 300;
const SHORTEST_DELAY_MS = 20;
const LONGEST_DELAY_MS = 120;
const MAX_HEARD = 4_096;

export class LanMembers implements MembersProvider {
  readonly #options: LanMembersOptions;
  readonly #now: Clock;
  /** Until when each is believed to be there. */
  readonly #heard = new Map<MemberId, number>();
  #changed: () => void = () => undefined;
  #socket: MulticastDNS | undefined;
  /** The question was asked on this socket, and the answers were waited for. */
  #collected = false;
  #self: MemberId | undefined;
  #answer: NodeJS.Timeout | undefined;

  constructor(options: LanMembersOptions, now: Clock = () => performance.now()) {
    this.#options = options;
    this.#now = now;
  }

  watch(changed: () => void): void {
    this.#changed = changed;
  }

  async read(signal: AbortSignal): Promise<readonly MemberId[]> {
    if (this.#socket === undefined || !this.#collected) {
      await this.#send(signal, (socket, sent) => socket.query([{ name: SERVICE, type: 'PTR' }], sent));
      await wait(COLLECT_MS, undefined, { signal, ref: false });
      this.#collected = true;
    }
    const nowMs = this.#now();
    for (const [id, untilMs] of this.#heard) if (untilMs <= nowMs) this.#heard.delete(id);
    return [...this.#heard.keys(), ...(this.#self === undefined ? [] : [this.#self])];
  }

  async join(self: MemberId, signal: AbortSignal): Promise<void> {
    this.#self = self;
    await this.#say({ id: self, ttlMs: this.#options.ttlMs }, signal);
  }

  async leave(self: MemberId, signal: AbortSignal): Promise<void> {
    this.#self = undefined;
    await this.#say({ id: self, ttlMs: 0 }, signal);
  }

  close(): Promise<void> {
    clearTimeout(this.#answer);
    return this.#drop();
  }

  #say(what: { readonly id: MemberId; readonly ttlMs: number }, signal: AbortSignal): Promise<void> {
    const answers = announce(what, this.#options.key);
    return this.#send(signal, (socket, sent) => socket.respond(answers, sent));
  }

  async #send(
    signal: AbortSignal,
    send: (socket: MulticastDNS, sent: (error: Error | null) => void) => void,
  ): Promise<void> {
    let failed: (error: Error) => void = () => undefined;
    const socket = this.#open();
    try {
      const sending = new Promise<void>((resolve, reject) => {
        failed = reject;
        socket.once('error', failed);
        send(socket, (error) => (error ? reject(error) : resolve()));
      });
      await untilAborted(sending, signal);
    } catch (cause) {
      await this.#drop();
      throw new Error('The local network cannot be asked for gateways (mesh.members.lan).', { cause });
    } finally {
      socket.off('error', failed);
    }
  }

  #open(): MulticastDNS {
    if (this.#socket !== undefined) return this.#socket;
    const { interface: address, port } = this.#options;
    const socket = multicastDns({
      // A socket that is bound to an address hears no multicast on Linux.
      bind: '0.0.0.0',
      ...(address === undefined ? {} : { interface: address }),
      ...(port === undefined ? {} : { port }),
    });
    socket.on('error', () => this.#drop());
    // Packets of others that cannot be read, and interfaces that cannot be used.
    socket.on('warning', () => undefined);
    socket.on('query', (packet: QueryPacket) => this.#asked(packet));
    socket.on('response', (packet: ResponsePacket) => this.#told(packet));
    this.#socket = socket;
    return socket;
  }

  /** A later read opens another one. */
  #drop(): Promise<void> {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#collected = false;
    return new Promise((resolve) => (socket === undefined ? resolve() : socket.destroy(() => resolve())));
  }

  #asked({ questions = [] }: QueryPacket): void {
    const forUs = questions.some(({ name }) => name.toLowerCase() === SERVICE);
    if (!forUs || this.#self === undefined || this.#answer !== undefined) return;
    const delayMs = SHORTEST_DELAY_MS + Math.random() * (LONGEST_DELAY_MS - SHORTEST_DELAY_MS);
    this.#answer = setTimeout(() => {
      this.#answer = undefined;
      if (this.#self === undefined || this.#socket === undefined) return;
      const answers = announce({ id: this.#self, ttlMs: this.#options.ttlMs }, this.#options.key);
      // Where it cannot be sent, the next join says so.
      this.#socket.respond(answers, () => undefined);
    }, delayMs).unref();
  }

  #told({ answers = [], additionals = [] }: ResponsePacket): void {
    for (const { id, ttlMs } of announced([...answers, ...additionals], this.#options.key)) {
      const known = this.#heard.has(id);
      if (id === this.#self || (!known && (ttlMs === 0 || this.#heard.size >= MAX_HEARD))) continue;
      if (ttlMs === 0) this.#heard.delete(id);
      else this.#heard.set(id, this.#now() + Math.min(ttlMs, this.#options.ttlMs));
      if (!known || ttlMs === 0) this.#changed();
    }
  }
}
