// The bytes of an answer. A write is over when its bytes were taken over, and never within the turn it was made in: a
// caller that reads as fast as we write would keep everybody else from being served.

import type { ByteSink } from '../transport.ts';
import { MeshError } from '../transport.ts';
import { TYPES } from './protocol.ts';
import type { Reply } from './reply.ts';

export class ResponseSink implements ByteSink {
  readonly #reply: Reply;
  readonly #rejecting = new Set<(error: MeshError) => void>();

  constructor(reply: Reply) {
    this.#reply = reply;
    reply.res.once('close', () => {
      for (const reject of this.#rejecting) reject(callerLeft());
      this.#rejecting.clear();
    });
  }

  write(...parts: readonly Uint8Array[]): Promise<void> {
    const { res } = this.#reply;
    if (res.destroyed || res.closed) return Promise.reject(callerLeft());
    if (!res.headersSent) this.#reply.begin(TYPES.bytes);
    const last = parts.findLast(({ length }) => length > 0);
    if (last === undefined) return Promise.resolve();
    return new Promise((resolve, reject) => {
      let left = 2;
      this.#rejecting.add(reject);
      const step = () => {
        left -= 1;
        if (left > 0) return;
        this.#rejecting.delete(reject);
        resolve();
      };
      // Within a turn Node gathers writes: all parts go out by one call of the system.
      for (const part of parts) {
        if (part === last) break;
        if (part.length > 0) res.write(part);
      }
      res.write(last, (error) => {
        if (error) reject(callerLeft(error));
        else step();
      });
      setImmediate(step);
    });
  }

  end(): void {
    if (this.#reply.res.headersSent) this.#reply.res.end();
    else this.#reply.streamedWhole(TYPES.bytes, '');
  }
}

function callerLeft(cause?: unknown): MeshError {
  return new MeshError('Unreachable', 'Whoever asked for these bytes has left.', { cause });
}
