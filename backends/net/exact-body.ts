// The body of a read as the contract has it: exactly the promised bytes, or an error; never a short clean end.
import { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { BackendError } from '../backend.ts';
import { classifyNetworkError } from './classify-network-error.ts';

/**
 * Passes `source` on with its backpressure. Destroying the result destroys the source, and with it the connection.
 * Errors are BackendErrors or the signal's reason.
 */
export function exactBody(source: Readable, expectedBytes: number, signal: AbortSignal): Readable {
  return new ExactBody(source, expectedBytes, signal);
}

class ExactBody extends Readable {
  readonly #source: Readable;
  readonly #expectedBytes: number;
  readonly #signal: AbortSignal;
  #receivedBytes = 0;

  constructor(source: Readable, expectedBytes: number, signal: AbortSignal) {
    super();
    this.#source = source;
    this.#expectedBytes = expectedBytes;
    this.#signal = signal;
    // Whoever consumes this stream later still sees the error; without a listener a cut connection between the answer
    // and its consumer would end the process.
    this.on('error', () => undefined);
    source.on('data', this.#onData);
    source.on('end', this.#onEnd);
    source.on('error', (error) => this.destroy(classifyNetworkError(socketError(source) ?? error)));
    source.on('close', () => this.#onClose());
    source.pause();
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  override _read(): void {
    this.#source.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#source.off('data', this.#onData);
    if (!this.#source.readableEnded) this.#source.destroy();
    callback(error);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#receivedBytes += chunk.length;
    if (this.#receivedBytes > this.#expectedBytes) {
      this.destroy(this.#wrongLength('more than'));
    } else if (!this.push(chunk)) {
      this.#source.pause();
    }
  };

  readonly #onEnd = (): void => {
    if (this.#receivedBytes === this.#expectedBytes) this.push(null);
    else this.destroy(this.#wrongLength(`${this.#receivedBytes} of`));
  };

  readonly #onAbort = (): void => {
    this.destroy(asError(this.#signal.reason));
  };

  #onClose(): void {
    if (this.#source.readableEnded || this.destroyed) return;
    const error = socketError(this.#source);
    this.destroy(error === undefined ? this.#wrongLength(`${this.#receivedBytes} of`) : classifyNetworkError(error));
  }

  #wrongLength(howMany: string): BackendError {
    return new BackendError('Unavailable', `The origin sent ${howMany} the ${this.#expectedBytes} bytes it promised.`);
  }
}

/** Node tells a response only 'aborted'; its socket knows why. */
function socketError(source: Readable): Error | undefined {
  return source instanceof IncomingMessage ? (source.socket.errored ?? undefined) : undefined;
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('The read was aborted.', { cause: reason });
}
