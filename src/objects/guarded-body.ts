// One guard for every body on its way into an origin: exact length, hashed as it passes, its last bytes held back
// until everything promised about it has proved true. What is wrong destroys the stream with the reason instead.
// Bytes pass without being copied, but for slices so small that handing them on one by one would cost more.
import { Readable } from 'node:stream';
import { BackendError } from '../../backends/backend.ts';
import type { Hasher } from '../../backends/checksums.ts';

/** Takes a framing off: gives the bytes within each chunk, in order; throws where the framing is wrong. */
export interface BodyDecoder {
  decode(chunk: Buffer, give: (bytes: Buffer) => void): void;
  /** The source has ended; throws unless the framing had. */
  end(): void;
}

/** How a guard words what went wrong; the default speaks of an origin's body. */
export interface BodyErrors {
  wrongSize(receivedBytes: number, sizeBytes: number): Error;
  /** The source broke off; the cause is absent when it closed without a word. */
  broken(receivedBytes: number, cause: Error | undefined): Error;
}

export interface BodyGuard {
  readonly sizeBytes: number;
  /** See every byte once, in order; complete when `verify` is called. */
  readonly hashers: readonly Hasher[];
  /** Called once, after all bytes came and before the last are given out. Throws the reason to refuse them. */
  readonly verify: () => void;
  readonly decoder?: BodyDecoder | undefined;
  readonly errors?: BodyErrors | undefined;
}

const SMALL_SLICE_BYTES = 4 * 1024;
const SLAB_BYTES = 16 * 1024;
const NO_SLAB = Buffer.alloc(0);
const BUFFERED_BYTES = 256 * 1024;

const ORIGIN_ERRORS: BodyErrors = {
  wrongSize: (receivedBytes, sizeBytes) =>
    new BackendError('Unavailable', `A body of ${sizeBytes} bytes was promised; ${receivedBytes} or more came.`),
  broken: (receivedBytes, cause) =>
    cause ?? new BackendError('Unavailable', `A body broke off after ${receivedBytes} bytes.`),
};

/**
 * Reads the source only as its own reader asks. Destroying it early leaves the source paused, not destroyed: a
 * request's socket still has an answer to carry.
 */
export function guardBody(source: Readable | AsyncIterable<Uint8Array>, guard: BodyGuard): Readable {
  if (source instanceof Readable) return new GuardedBody(source, guard);
  const stream = Readable.from(source, { objectMode: false });
  return new GuardedBody(stream, guard).once('close', () => stream.destroy());
}

class GuardedBody extends Readable {
  readonly #source: Readable;
  readonly #guard: BodyGuard;
  readonly #errors: BodyErrors;
  #reading = false;
  #ended = false;
  #wantsMore = true;
  #receivedBytes = 0;
  #held: Buffer | undefined;
  /** Small slices are joined here: those from smallStart to smallEnd are still to be passed on. */
  #slab: Buffer = NO_SLAB;
  #smallStart = 0;
  #smallEnd = 0;

  constructor(source: Readable, guard: BodyGuard) {
    super({ highWaterMark: BUFFERED_BYTES });
    this.#source = source;
    this.#guard = guard;
    this.#errors = guard.errors ?? ORIGIN_ERRORS;
    // Stays on for good: an error of the source after this body's end is nobody's news, and must not be a crash.
    source.on('error', this.#onBroken);
    source.on('close', this.#onBroken);
    source.on('end', this.#onEnd);
  }

  override _read(): void {
    this.#wantsMore = true;
    if (!this.#reading) this.#begin();
    this.#source.resume();
  }

  #begin(): void {
    this.#reading = true;
    this.#source.on('data', this.#onData);
    if (this.#source.readableEnded) this.#onEnd();
    else if (this.#source.destroyed) this.#onBroken(this.#source.errored);
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#source.off('data', this.#onData);
    this.#source.off('end', this.#onEnd);
    if (!this.#ended) this.#source.pause();
    callback(error);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#attempt(() => {
      if (this.#guard.decoder === undefined) this.#take(chunk);
      else this.#guard.decoder.decode(chunk, this.#take);
    });
    if (!this.#wantsMore) this.#source.pause();
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#attempt(() => {
      this.#guard.decoder?.end();
      if (this.#receivedBytes !== this.#guard.sizeBytes) throw this.#wrongSize();
      this.#flushSmall();
      this.#guard.verify();
      if (this.#held !== undefined) this.push(this.#held);
      this.push(null);
    });
  };

  readonly #onBroken = (cause?: Error | null): void => {
    if (!this.#ended && !this.destroyed) this.destroy(this.#errors.broken(this.#receivedBytes, cause ?? undefined));
  };

  readonly #take = (bytes: Buffer): void => {
    this.#receivedBytes += bytes.length;
    if (this.#receivedBytes > this.#guard.sizeBytes) throw this.#wrongSize();
    if (bytes.length < SMALL_SLICE_BYTES) {
      this.#coalesce(bytes);
    } else {
      this.#flushSmall();
      this.#pass(bytes);
    }
  };

  /** Bodies cut into single bytes pass in memory and time proportional to their bytes, not to their cuts. */
  #coalesce(bytes: Buffer): void {
    if (this.#smallEnd + bytes.length > this.#slab.length) {
      this.#flushSmall();
      this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.#smallStart = 0;
      this.#smallEnd = 0;
    }
    this.#smallEnd += bytes.copy(this.#slab, this.#smallEnd);
  }

  /** What comes next goes behind it in the same slab: what was given out is never written again. */
  #flushSmall(): void {
    if (this.#smallStart === this.#smallEnd) return;
    const bytes = this.#slab.subarray(this.#smallStart, this.#smallEnd);
    this.#smallStart = this.#smallEnd;
    this.#pass(bytes);
  }

  /** Gives out what was held and holds this instead. */
  #pass(bytes: Buffer): void {
    for (const hasher of this.#guard.hashers) hasher.update(bytes);
    if (this.#held !== undefined) this.#wantsMore = this.push(this.#held);
    this.#held = bytes;
  }

  #attempt(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #wrongSize(): Error {
    return this.#errors.wrongSize(this.#receivedBytes, this.#guard.sizeBytes);
  }
}
