// An answer of one JSON document a line, of work that only one may have under way at a time. It ends when whoever asked
// for it leaves.
import { once } from 'node:events';
import { Readable } from 'node:stream';

/** The last line where the work fails: a connection that breaks off does not tell why. */
export interface FailedLine {
  readonly type: 'failed';
  readonly error: string;
}

export class ExclusiveLines {
  readonly #closing = new AbortController();
  #running: Readable | undefined;

  /** `signal`: nobody reads the lines any longer. Undefined: such work is under way already. */
  start(work: (signal: AbortSignal) => AsyncIterable<object>, signal: AbortSignal): Readable | undefined {
    if (this.#running !== undefined) return undefined;
    const ended = AbortSignal.any([signal, this.#closing.signal]);
    const stream = Readable.from(linesOf(work(ended)), { objectMode: false });
    stream.once('close', () => {
      this.#running = undefined;
    });
    this.#running = stream;
    return stream;
  }

  /** Ends what is under way, and resolves when it has ended. */
  async close(): Promise<void> {
    this.#closing.abort();
    const stream = this.#running;
    if (stream === undefined) return;
    const closed = once(stream, 'close');
    stream.destroy();
    await closed;
  }
}

async function* linesOf(documents: AsyncIterable<object>): AsyncGenerator<string, void, undefined> {
  try {
    for await (const document of documents) yield `${JSON.stringify(document)}\n`;
  } catch (error) {
    const failed: FailedLine = { type: 'failed', error: error instanceof Error ? error.message : String(error) };
    yield `${JSON.stringify(failed)}\n`;
  }
}
