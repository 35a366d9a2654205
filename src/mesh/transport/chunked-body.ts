// A chunked HTTP body (RFC 9112, 7.1) as it is taken off a connection: what belongs to the framing is dropped, all else
// goes where its target says. Extensions of chunks are refused: nobody of a mesh sends any.
import { type ByteTarget, MeshError } from '../transport.ts';

const CR = 13;
const LF = 10;
/** Of a chunk's size: 4 GiB. */
const MAX_DIGITS = 8;
/** Less than this is better read with what follows it than by itself. */
const WORTH_A_READ_BYTES = 4 * 1024;

interface ChunkedBodyEvents {
  /** The target has room again. */
  readonly room: () => void;
  /** It never will. */
  readonly failed: (error: unknown) => void;
}

type Expected = 'size' | 'end of size' | 'data' | 'end of data' | 'end of line';

export class ChunkedBody {
  readonly #target: ByteTarget;
  #expected: Expected = 'size';
  #size = 0;
  #digits = 0;
  /** Of the chunk that is coming. */
  #left = 0;
  /** The chunk of no bytes has come; what follows it is not part of the body. */
  ended = false;
  /** The target has no room: nothing is to be pushed until there is. */
  isFull = false;
  readonly #events: ChunkedBodyEvents;

  constructor(target: ByteTarget, events: ChunkedBodyEvents) {
    this.#target = target;
    this.#events = events;
  }

  /**
   * Returns how many of the bytes were taken: all, unless the body has ended or there is no room. Throws MeshError, and
   * what the target throws.
   */
  push(bytes: Buffer): number {
    let at = 0;
    while (at < bytes.length && !this.ended) {
      if (this.#expected !== 'data') {
        this.#readFraming(bytes[at] ?? 0);
        at += 1;
        continue;
      }
      const space = this.#space();
      if (space === undefined) break;
      const part = bytes.subarray(at, at + space.length);
      space.set(part);
      this.came(part.length);
      at += part.length;
    }
    return at;
  }

  /** The target's own memory, for the connection to read straight into. Undefined: there is none, or not enough for it. */
  straight(): Uint8Array | undefined {
    if (this.isFull || this.#expected !== 'data' || this.#left < WORTH_A_READ_BYTES) return undefined;
    const space = this.#space();
    return space === undefined || space.length < WORTH_A_READ_BYTES ? undefined : space;
  }

  /** So many bytes have come into the target's memory. */
  came(bytes: number): void {
    this.#left -= bytes;
    if (this.#left === 0) this.#expected = 'end of data';
    this.#target.taken(bytes);
  }

  #space(): Uint8Array | undefined {
    const space = this.#target.space();
    if (space instanceof Uint8Array) return space.length > this.#left ? space.subarray(0, this.#left) : space;
    this.isFull = true;
    space.then(() => {
      this.isFull = false;
      this.#events.room();
    }, this.#events.failed);
    return undefined;
  }

  #readFraming(byte: number): void {
    if (this.#expected === 'size' && byte !== CR) this.#readDigit(byte);
    else if (this.#expected === 'size' && this.#digits > 0) this.#expected = 'end of size';
    else if (this.#expected === 'end of size' && byte === LF) this.#begin();
    else if (this.#expected === 'end of data' && byte === CR) this.#expected = 'end of line';
    else if (this.#expected === 'end of line' && byte === LF) this.#expected = 'size';
    else throw notChunked();
  }

  #readDigit(byte: number): void {
    const digit = Number.parseInt(String.fromCharCode(byte), 16);
    if (Number.isNaN(digit) || this.#digits === MAX_DIGITS) throw notChunked();
    this.#size = this.#size * 16 + digit;
    this.#digits += 1;
  }

  #begin(): void {
    this.#left = this.#size;
    this.ended = this.#size === 0;
    this.#expected = 'data';
    this.#size = 0;
    this.#digits = 0;
  }
}

function notChunked(): MeshError {
  return new MeshError('Unreachable', 'A body came that is not chunked as HTTP has it.');
}
