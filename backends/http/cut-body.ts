// Some bytes out of the middle of a stream, for servers that ignore Range: drops what comes before, and ends the
// transfer as soon as it has what it needs.
import { Readable } from 'node:stream';
import type { ByteRange } from '../backend.ts';

/** As exact as its source: errors are passed on as they are. Destroying it destroys the source. */
export function cutBody(source: Readable, range: ByteRange): Readable {
  return new CutBody(source, range);
}

class CutBody extends Readable {
  readonly #source: Readable;
  readonly #range: ByteRange;
  #position = 0;

  constructor(source: Readable, range: ByteRange) {
    super();
    this.#source = source;
    this.#range = range;
    // Whoever reads it later still sees the error; until then it must find a listener.
    this.on('error', () => undefined);
    source.on('data', this.#onData);
    source.on('error', (error) => this.destroy(error));
    source.pause();
  }

  override _read(): void {
    this.#source.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#source.off('data', this.#onData);
    this.#source.destroy();
    callback(error);
  }

  readonly #onData = (chunk: Buffer): void => {
    const from = Math.max(0, this.#range.start - this.#position);
    const to = Math.min(chunk.length, this.#range.end - this.#position);
    this.#position += chunk.length;
    const hasRoom = from >= to || this.push(chunk.subarray(from, to));
    if (this.#position >= this.#range.end) this.#finish();
    else if (!hasRoom) this.#source.pause();
  };

  #finish(): void {
    this.#source.off('data', this.#onData);
    this.#source.destroy();
    this.push(null);
  }
}
