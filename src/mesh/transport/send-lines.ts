// A streamed answer of JSON values, a line each as it is decided. What is decided at once goes out in one write; headers
// go out at once in any case, so that a gateway that hangs is told from one whose answers take long. While nothing is
// decided an empty line now and then says that it still lives.
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { TYPES } from './protocol.ts';
import type { Reply } from './reply.ts';

const FLUSH_AT = 64 * 1024;
const NOT_YET = Symbol('not yet');

/** Rejects with what the lines rejected with; whether anything went out by then, the response knows. */
export async function sendLines(
  reply: Reply,
  lines: AsyncIterable<unknown>,
  heartbeatMs: number,
  signal: AbortSignal,
): Promise<void> {
  const iterator = lines[Symbol.asyncIterator]();
  const out = new LinesOut(reply, heartbeatMs);
  let ended = false;
  try {
    while (!signal.aborted) {
      const next = iterator.next();
      const early = await Promise.race([next, turn(NOT_YET)]);
      if (early === NOT_YET) await out.flush(signal);
      const { done, value } = early === NOT_YET ? await next : early;
      if (done === true) {
        ended = true;
        out.end();
        return;
      }
      if (out.add(value) >= FLUSH_AT) await out.flush(signal);
    }
  } finally {
    out.stop();
    if (!ended) await iterator.return?.();
  }
}

class LinesOut {
  readonly #reply: Reply;
  readonly #heartbeatMs: number;
  #pending = '';
  #heart: NodeJS.Timeout | undefined;

  constructor(reply: Reply, heartbeatMs: number) {
    this.#reply = reply;
    this.#heartbeatMs = heartbeatMs;
  }

  /** Returns how much waits to be sent. */
  add(value: unknown): number {
    this.#pending += `${JSON.stringify(value) ?? 'null'}\n`;
    return this.#pending.length;
  }

  async flush(signal: AbortSignal): Promise<void> {
    const { res } = this.#reply;
    if (!res.headersSent) {
      this.#reply.begin(TYPES.lines);
      if (this.#pending === '') res.flushHeaders();
      this.#heart = setInterval(() => this.#beat(), this.#heartbeatMs);
    }
    const text = this.#pending;
    this.#pending = '';
    if (text === '') return;
    this.#heart?.refresh();
    if (!res.write(text, 'utf8') && !signal.aborted) await once(res, 'drain', { signal });
  }

  end(): void {
    this.stop();
    const { res } = this.#reply;
    if (res.headersSent) res.end(this.#pending, 'utf8');
    else this.#reply.streamedWhole(TYPES.lines, this.#pending);
  }

  stop(): void {
    clearInterval(this.#heart);
  }

  #beat(): void {
    const { res } = this.#reply;
    if (!res.writableNeedDrain) res.write('\n', 'latin1');
  }
}
