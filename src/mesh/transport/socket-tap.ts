// What a kept connection reads, before the HTTP client of Node has it. That client takes each read in fresh memory and
// copies the body out of it, which was most of what a byte from another gateway cost. So its parser sees only the head
// and the end of an answer in bytes, and the kernel writes the body straight into the memory it is for. Everything else
// goes to the parser as ever, but from memory that is used again.
import type { OnReadOpts } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ByteTarget } from '../transport.ts';
import { ChunkedBody } from './chunked-body.ts';

const SCRATCH_BYTES = 16 * 1024;
const END_OF_HEAD = '\r\n\r\n';
/** What the parser is told of a body that it has not seen. */
const LAST_CHUNK = Buffer.from('0\r\n');

export class SocketTap {
  /** For the socket's options. */
  readonly onread: OnReadOpts = {
    buffer: () => this.#next,
    callback: (bytes, into) => this.#read(bytes, into),
  };
  readonly #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  /** Where the socket reads to next; it keeps to it until it has read something. */
  #next: Uint8Array = this.#scratch;
  #socket: Duplex | undefined;
  /** Parser: what comes is Node's. Head: until the head ends. Held: for whoever knows what to do with the rest. */
  #goesTo: 'parser' | 'head' | 'held' | 'body' = 'parser';
  /** The end of what came of the head, in which its end may begin. */
  #tail = '';
  #held: Buffer[] = [];
  #body: ChunkedBody | undefined;
  #failed: (error: unknown) => void = () => undefined;

  attach(socket: Duplex): void {
    this.#socket = socket;
  }

  /** Before the next answer comes: all that follows its head waits for pour() or pass(). */
  holdBody(): void {
    this.#goesTo = 'head';
    this.#tail = '';
  }

  /**
   * The body is chunked and goes to the target, and then its end to the parser. `failed` is called by what the target
   * throws, too; stop() is to be called then.
   */
  pour(target: ByteTarget, failed: (error: unknown) => void): void {
    const body = new ChunkedBody(target, {
      room: () => {
        if (this.#body === body) this.#goOn();
      },
      failed: (error) => {
        if (this.#body === body) failed(error);
      },
    });
    this.#body = body;
    this.#failed = failed;
    this.#goesTo = 'body';
    this.#goOn();
  }

  /** The body is for the parser. */
  pass(): void {
    this.#goesTo = 'parser';
    this.#goOn();
  }

  /** Nothing more goes to the target: the connection is being destroyed. */
  stop(): void {
    this.#goesTo = 'held';
    this.#body = undefined;
    this.#next = this.#scratch;
  }

  /** False: the socket is to read no more for now. */
  #read(bytes: number, into: Uint8Array): boolean {
    this.#next = this.#scratch;
    if (into === this.#scratch) this.#take(this.#scratch.subarray(0, bytes));
    else this.#give((body) => body.came(bytes));
    return this.#readOn();
  }

  /** Settles where the socket reads to next. */
  #readOn(): boolean {
    this.#next = this.#give((body) => body.straight()) ?? this.#scratch;
    return this.#goesTo !== 'held' && this.#body?.isFull !== true;
  }

  /** With what was held back, and then with what comes. */
  #goOn(): void {
    for (const bytes of this.#held.splice(0)) this.#take(bytes);
    if (this.#readOn()) this.#socket?.resume();
  }

  #take(bytes: Buffer): void {
    if (this.#goesTo === 'parser') this.#parse(bytes);
    else if (this.#goesTo === 'head') this.#takeHead(bytes);
    else if (this.#body === undefined || this.#body.isFull) this.#hold(bytes);
    else this.#takeBody(this.#body, bytes);
  }

  #takeHead(bytes: Buffer): void {
    const text = this.#tail + bytes.toString('latin1');
    const at = text.indexOf(END_OF_HEAD);
    const end = at === -1 ? bytes.length : at + END_OF_HEAD.length - this.#tail.length;
    this.#tail = text.slice(1 - END_OF_HEAD.length);
    if (at !== -1) this.#goesTo = 'held';
    this.#hold(bytes.subarray(end));
    this.#parse(bytes.subarray(0, end));
  }

  #takeBody(body: ChunkedBody, bytes: Buffer): void {
    const taken = this.#give(() => body.push(bytes));
    if (taken === undefined) return;
    const rest = bytes.subarray(taken);
    if (body.ended) {
      this.#body = undefined;
      this.#goesTo = 'parser';
      this.#parse(LAST_CHUNK);
      this.#parse(rest);
    } else this.#hold(rest);
  }

  /** Undefined: there is no body, or it has failed. */
  #give<T>(give: (body: ChunkedBody) => T): T | undefined {
    if (this.#body === undefined) return undefined;
    try {
      return give(this.#body);
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }

  #parse(bytes: Buffer): void {
    if (bytes.length > 0) this.#socket?.emit('data', bytes);
  }

  /** A copy: the memory is read to again. */
  #hold(bytes: Buffer): void {
    if (bytes.length > 0) this.#held.push(Buffer.from(bytes));
  }
}
