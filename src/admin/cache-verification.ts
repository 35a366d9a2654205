// POST /cache/verify: reads everything the cache holds and tells what it finds while it goes, one JSON document a line.
// One verification at a time; it ends when whoever asked for it leaves. It counts as reading: what it discards is what
// no reader would be given either.
import type { Readable } from 'node:stream';
import { ExclusiveLines, type FailedLine } from './exclusive-lines.ts';

/** One piece of one object, as found. */
export interface VerifiedPiece {
  /** Where the object comes from, and its name there. */
  readonly origin: string;
  readonly bucket: string;
  readonly key: string;
  readonly piece: number;
  readonly bytes: number;
  /** 'absent': it was evicted meanwhile, its file is gone, or its disk or LevelDB does not answer. */
  readonly soundness: 'sound' | 'damaged' | 'absent';
}

export interface VerifyCacheOptions {
  /** Undefined: as fast as the disks read. */
  readonly bytesPerSecond: number | undefined;
}

/** What is damaged has been discarded when it is told. */
export type VerifyCache = (options: VerifyCacheOptions, signal: AbortSignal) => AsyncIterable<VerifiedPiece>;

interface Counts {
  pieces: number;
  bytes: number;
  sound: number;
  damaged: number;
  absent: number;
}

/** A line of the answer. The last one is a summary, or says why there is none. */
export type VerificationLine =
  | ({ readonly type: 'progress' } & Readonly<Counts>)
  | ({ readonly type: 'damaged' } & Omit<VerifiedPiece, 'soundness'>)
  | ({ readonly type: 'summary'; readonly seconds: number } & Readonly<Counts>)
  | FailedLine;

interface CacheVerificationDeps {
  readonly verify: VerifyCache;
  /** Milliseconds on a clock that never jumps. */
  readonly now: () => number;
}

export class CacheVerification {
  readonly #deps: CacheVerificationDeps;
  readonly #progressMs: number;
  readonly #lines = new ExclusiveLines();

  /** `progressMs`: how much time passes at least between two lines of progress. */
  constructor(deps: CacheVerificationDeps, options: { progressMs: number }) {
    this.#deps = deps;
    this.#progressMs = options.progressMs;
  }

  /** The lines. `signal`: nobody reads them any longer. Undefined: there is a verification under way already. */
  start(options: VerifyCacheOptions, signal: AbortSignal): Readable | undefined {
    return this.#lines.start((ended) => this.#report(options, ended), signal);
  }

  /** Ends what is under way, and resolves when it has ended. */
  close(): Promise<void> {
    return this.#lines.close();
  }

  async *#report(options: VerifyCacheOptions, signal: AbortSignal): AsyncGenerator<VerificationLine, void, undefined> {
    const { verify, now } = this.#deps;
    const counts: Counts = { pieces: 0, bytes: 0, sound: 0, damaged: 0, absent: 0 };
    const begunMs = now();
    let toldMs = begunMs;
    // At once, so that whoever asked knows that it is under way.
    yield { type: 'progress', ...counts };
    for await (const { soundness, ...found } of verify(options, signal)) {
      counts.pieces += 1;
      counts.bytes += found.bytes;
      counts[soundness] += 1;
      if (soundness === 'damaged') yield { type: 'damaged', ...found };
      if (now() - toldMs < this.#progressMs) continue;
      toldMs = now();
      yield { type: 'progress', ...counts };
    }
    if (signal.aborted) yield { type: 'failed', error: 'The verification was ended before it was done.' };
    else yield { type: 'summary', ...counts, seconds: (now() - begunMs) / 1_000 };
  }
}
