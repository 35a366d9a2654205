// Buffers to read into, used again: fresh memory of this size costs more in page faults than the read itself.
// What is taken and not given back is left to the garbage collector; the pool bounds what it keeps, not what is out.

export interface LentBuffer {
  /** Exactly as long as asked for; its content is whatever was there. */
  readonly bytes: Buffer;
  /** Call once nobody reads or writes the bytes any more. Further calls do nothing. */
  release(): void;
}

const CLASSES = [64 * 1024, 256 * 1024, 512 * 1024, 1024 * 1024];

export class BufferPool {
  readonly #free = new Map<number, Buffer[]>();
  readonly #maxFreeBytes: number;
  #freeBytes = 0;

  constructor(options: { maxFreeBytes: number }) {
    this.#maxFreeBytes = options.maxFreeBytes;
  }

  take(lengthBytes: number): LentBuffer {
    const size = CLASSES.find((each) => each >= lengthBytes);
    if (size === undefined) return { bytes: Buffer.allocUnsafeSlow(lengthBytes), release: () => undefined };
    const free = this.#free.get(size)?.pop();
    if (free !== undefined) this.#freeBytes -= size;
    const whole = free ?? Buffer.allocUnsafeSlow(size);
    let out = true;
    return {
      bytes: whole.subarray(0, lengthBytes),
      release: () => {
        if (out) this.#giveBack(whole);
        out = false;
      },
    };
  }

  #giveBack(whole: Buffer): void {
    if (this.#freeBytes + whole.length > this.#maxFreeBytes) return;
    const free = this.#free.get(whole.length);
    if (free === undefined) this.#free.set(whole.length, [whole]);
    else free.push(whole);
    this.#freeBytes += whole.length;
  }
}
