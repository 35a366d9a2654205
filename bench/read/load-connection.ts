// One keep-alive connection of the load generator: sends prepared requests, reads answers whose length their head says,
// and keeps nothing of the bytes. What is not 200 or 206 ends the run: a bench of errors measures nothing.
import { connect, type Socket } from 'node:net';

export interface LoadEvents {
  /** The next request, as it goes on the wire. */
  readonly next: () => Buffer;
  readonly received: (bytes: number) => void;
  readonly answered: (latencyMs: number) => void;
  readonly failed: (error: Error) => void;
}

const READ_BYTES = 512 * 1024;

export class LoadConnection {
  readonly #socket: Socket;
  readonly #events: LoadEvents;
  #head = '';
  /** Of the answer being read; undefined: its head is not whole yet. */
  #bodyBytesLeft: number | undefined;
  #sentAt = 0;
  #closed = false;

  constructor(port: number, events: LoadEvents) {
    this.#events = events;
    this.#socket = connect({
      host: '127.0.0.1',
      port,
      noDelay: true,
      onread: {
        buffer: Buffer.allocUnsafeSlow(READ_BYTES),
        callback: (bytes, buffer) => {
          this.#read(buffer, bytes);
          return true;
        },
      },
    });
    this.#socket.once('connect', () => this.#send());
    this.#socket.once('error', (error) => this.#fail(error));
    this.#socket.once('close', () => this.#fail(new Error('The server closed the connection.')));
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  #send(): void {
    this.#bodyBytesLeft = undefined;
    this.#head = '';
    this.#sentAt = performance.now();
    this.#socket.write(this.#events.next());
  }

  #read(buffer: Uint8Array, bytes: number): void {
    this.#events.received(bytes);
    let body = bytes;
    if (this.#bodyBytesLeft === undefined) {
      const earlier = this.#head.length;
      this.#head += Buffer.from(buffer.buffer, buffer.byteOffset, Math.min(bytes, 16_384)).toString('latin1');
      const end = this.#head.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.#bodyBytesLeft = bodyLength(this.#head);
      if (this.#bodyBytesLeft === undefined) {
        this.#fail(new Error(`The server answered: ${this.#head.slice(0, 1_000)}`));
        return;
      }
      body -= end + 4 - earlier;
    }
    this.#bodyBytesLeft -= body;
    if (this.#bodyBytesLeft < 0) this.#fail(new Error('The server sent more than it promised.'));
    if (this.#bodyBytesLeft !== 0) return;
    this.#events.answered(performance.now() - this.#sentAt);
    if (!this.#closed) this.#send();
  }

  #fail(error: Error): void {
    if (this.#closed) return;
    this.close();
    this.#events.failed(error);
  }
}

/** Undefined: not an answer with an object's bytes. */
function bodyLength(head: string): number | undefined {
  const isGood = head.startsWith('HTTP/1.1 200 ') || head.startsWith('HTTP/1.1 206 ');
  const length = isGood ? /\r\ncontent-length: *(\d+)/i.exec(head)?.[1] : undefined;
  return length === undefined ? undefined : Number(length);
}
