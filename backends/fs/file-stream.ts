// A range of an open file as a stream. The file is open before the stream exists, so what happens to its name later
// (a replacement, a delete) does not reach the reader.
import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { BackendError, type ByteRange } from '../backend.ts';
import { diskError } from './disk-error.ts';

const READ_BYTES = 512 * 1024;

/** Owns the file. Ends after exactly the range's bytes or in an error. */
export class FileStream extends Readable {
  readonly #file: FileHandle;
  readonly #signal: AbortSignal;
  readonly #end: number;
  #position: number;
  #reading: Promise<void> = Promise.resolve();
  readonly #stop = () => this.destroy(this.#signal.reason);

  constructor(file: FileHandle, range: ByteRange, signal: AbortSignal) {
    super({ highWaterMark: READ_BYTES });
    this.#file = file;
    this.#signal = signal;
    this.#position = range.start;
    this.#end = range.end;
    signal.addEventListener('abort', this.#stop, { once: true });
    if (signal.aborted) this.#stop();
  }

  override _read(): void {
    this.#reading = this.#readNext().catch((error: unknown) => {
      this.destroy(diskError(error));
    });
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#signal.removeEventListener('abort', this.#stop);
    this.#reading
      .then(() => this.#file.close())
      .then(
        () => callback(error),
        (failure: unknown) => callback(error ?? diskError(failure)),
      );
  }

  async #readNext(): Promise<void> {
    const wanted = Math.min(READ_BYTES, this.#end - this.#position);
    if (wanted === 0) {
      this.push(null);
      return;
    }
    const buffer = Buffer.allocUnsafeSlow(wanted);
    const { bytesRead } = await this.#file.read(buffer, 0, wanted, this.#position);
    if (bytesRead === 0) {
      throw new BackendError('Internal', `A file ended at ${this.#position}, before ${this.#end}: it was cut.`);
    }
    this.#position += bytesRead;
    this.push(buffer.subarray(0, bytesRead));
  }
}
