// Reads whole objects into the cache, for nobody: a few at a time, whoever asks for it and however many do, and after
// all that somebody waits for or is likely to.
import pLimit from 'p-limit';
import type { ObjectRef } from '../../backends/backend.ts';
import { toldBy } from '../concurrency/told-by.ts';
import type { Warmed } from '../mesh/preheat-call.ts';
import type { Objects } from './objects.ts';

export interface ObjectWarmerDeps {
  readonly objects: Pick<Objects, 'read'>;
  readonly isCached: (ref: ObjectRef) => boolean;
  /** Whether the shelf takes what is read. */
  readonly shelf: { readonly accepting: boolean };
  /** Milliseconds on a clock that never jumps. */
  readonly now: () => number;
}

/** How often it is told how many bytes were read. */
const TELL_MS = 250;

export class ObjectWarmer {
  readonly #deps: ObjectWarmerDeps;
  readonly #limit: ReturnType<typeof pLimit>;

  /** `atOnce`: objects, for all who ask together. */
  constructor(deps: ObjectWarmerDeps, options: { atOnce: number }) {
    this.#deps = deps;
    this.#limit = pLimit(options.atOnce);
  }

  /** One line an object when it is done, and its bytes while they come. Rejects only when the signal aborts. */
  warm(bucket: string, keys: readonly string[], signal: AbortSignal): AsyncGenerator<Warmed, void, undefined> {
    return toldBy<Warmed>(async (tell, left) => {
      let [bytes, toldMs] = [0, this.#deps.now()];
      const read = (count: number) => {
        bytes += count;
        if (this.#deps.now() - toldMs >= TELL_MS) flush();
      };
      const flush = () => {
        if (bytes > 0) tell({ kind: 'bytes', bytes });
        [bytes, toldMs] = [0, this.#deps.now()];
      };
      const warmed = keys.map((key) =>
        this.#limit(async () => {
          const came = await this.#one({ bucket, key }, read, left);
          flush();
          tell(came);
        }),
      );
      await Promise.allSettled(warmed);
      left.throwIfAborted();
    }, signal);
  }

  async #one(ref: ObjectRef, read: (bytes: number) => void, signal: AbortSignal): Promise<Warmed> {
    const { objects, isCached, shelf } = this.#deps;
    const { key } = ref;
    try {
      signal.throwIfAborted();
      if (!isCached(ref)) return { kind: 'uncached', key };
      if (!shelf.accepting) return { kind: 'failed', key, error: 'The cache disks take no more writes now.' };
      const { info, chunks } = await objects.read(ref, { priority: 'preheat' }, signal);
      if (info.identity === 'none') {
        await chunks.return();
        return { kind: 'uncached', key };
      }
      for await (const chunk of chunks) {
        read(chunk.bytes.length);
        chunk.release();
      }
      return { kind: 'warm', key };
    } catch (error) {
      signal.throwIfAborted();
      return { kind: 'failed', key, error: error instanceof Error ? error.message : String(error) };
    }
  }
}
