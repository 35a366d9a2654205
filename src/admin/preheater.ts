// Has gateways read all objects under a prefix into their caches, and tells how it goes. The gateway that is asked lists
// them, page by page; each gateway gets all of a page before any gets the next one. What several gateways read at once
// they share, so that each piece leaves its origin once.
import pLimit from 'p-limit';
import { toldBy } from '../concurrency/told-by.ts';
import type { MeshSight, SeenMember } from '../mesh/mesh-overview.ts';
import { PREHEAT_KEYS, type Warm, type Warmed } from '../mesh/preheat-call.ts';
import type { Objects } from '../objects/objects.ts';
import type { FailedLine } from './exclusive-lines.ts';
import { type PreheatAim, preheatTargets } from './preheat-targets.ts';

export interface PreheatRequest extends PreheatAim {
  readonly bucket: string;
  readonly prefix: string;
}

interface Counts {
  /** Listed so far. */
  objects: number;
  /** Objects times gateways. */
  warmed: number;
  uncached: number;
  failed: number;
  /** Read by all gateways together. */
  bytes: number;
}

type Gateway = Pick<SeenMember, 'id' | 'role' | 'zone'>;

/** A line of the answer. The last one is a summary, or says why there is none. */
export type PreheatLine =
  | { readonly type: 'begun'; readonly gateways: readonly Gateway[] }
  | ({ readonly type: 'progress'; readonly gateways: number } & Readonly<Counts>)
  | { readonly type: 'unread'; readonly gateway: string; readonly key: string; readonly error: string }
  /** The gateway takes no further part. */
  | { readonly type: 'lost'; readonly gateway: string; readonly error: string }
  | ({
      readonly type: 'summary';
      readonly gateways: number;
      readonly lost: number;
      readonly seconds: number;
    } & Readonly<Counts>)
  | FailedLine;

export interface PreheaterDeps {
  readonly objects: Pick<Objects, 'list'>;
  /** This gateway first. */
  readonly look: (signal: AbortSignal) => Promise<MeshSight>;
  /** Reads objects into the cache of that gateway. */
  readonly warmAt: (gateway: string) => Warm;
  /** Milliseconds on a clock that never jumps. */
  readonly now: () => number;
}

export interface PreheaterOptions {
  /** Gateways at work at once. */
  readonly atOnce: number;
  readonly progressMs: number;
}

const PAGE = 1_000;
/** Objects that could not be read are named up to this number, and counted beyond it. */
const NAMED_FAILURES = 1_000;

export class Preheater {
  readonly #deps: PreheaterDeps;
  readonly #options: PreheaterOptions;

  constructor(deps: PreheaterDeps, options: PreheaterOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  run(request: PreheatRequest, signal: AbortSignal): AsyncGenerator<PreheatLine, void, undefined> {
    return toldBy<PreheatLine>((tell, left) => this.#run(request, tell, left), signal);
  }

  async #run(request: PreheatRequest, tell: (line: PreheatLine) => void, signal: AbortSignal): Promise<void> {
    const { now, look } = this.#deps;
    const begunMs = now();
    const { members, unasked } = await look(signal);
    if (unasked > 0 && request.to === undefined) {
      throw new Error(
        `${unasked} gateways more are known than admin.members lets this one ask; raise it, or say --to.`,
      );
    }
    const gateways = preheatTargets(members, request).map(({ id, role, zone }) => ({ id, role, zone }));
    const round = new Round(this.#deps, gateways, request.bucket, tell);
    tell({ type: 'begun', gateways });
    const progress = () => tell({ type: 'progress', gateways: gateways.length, ...round.counts });
    const timer = setInterval(progress, this.#options.progressMs);
    try {
      const limit = pLimit(this.#options.atOnce);
      for await (const keys of this.#pages(request, signal)) await round.warm(keys, limit, signal);
    } finally {
      clearInterval(timer);
    }
    if (round.counts.objects === 0) {
      throw new Error(`There is no object under '${request.prefix}' in bucket '${request.bucket}'.`);
    }
    const seconds = (now() - begunMs) / 1_000;
    tell({ type: 'summary', gateways: gateways.length, lost: round.lost.size, seconds, ...round.counts });
  }

  async *#pages({ bucket, prefix }: PreheatRequest, signal: AbortSignal): AsyncGenerator<string[], void, undefined> {
    let token: string | undefined;
    do {
      const page = await this.#deps.objects.list(bucket, { prefix, token, maxEntries: PAGE }, signal);
      if (page.objects.length > 0) yield page.objects.map(({ key }) => key);
      token = page.nextToken;
    } while (token !== undefined);
  }
}

/** What came of it so far at all gateways. */
class Round {
  readonly counts: Counts = { objects: 0, warmed: 0, uncached: 0, failed: 0, bytes: 0 };
  readonly lost = new Set<string>();
  readonly #warmAt: PreheaterDeps['warmAt'];
  readonly #gateways: readonly Gateway[];
  readonly #bucket: string;
  readonly #tell: (line: PreheatLine) => void;
  #named = 0;

  constructor(
    deps: Pick<PreheaterDeps, 'warmAt'>,
    gateways: readonly Gateway[],
    bucket: string,
    tell: (line: PreheatLine) => void,
  ) {
    this.#warmAt = deps.warmAt;
    this.#gateways = gateways;
    this.#bucket = bucket;
    this.#tell = tell;
  }

  /** Rejects when no gateway is left, or the signal aborts. */
  async warm(keys: readonly string[], limit: ReturnType<typeof pLimit>, signal: AbortSignal): Promise<void> {
    this.counts.objects += keys.length;
    const left = this.#gateways.filter(({ id }) => !this.lost.has(id));
    const warmed = left.map(({ id }) => limit(() => this.#warmPage(id, keys, signal)));
    await Promise.allSettled(warmed);
    signal.throwIfAborted();
    if (this.lost.size === this.#gateways.length) throw new Error('No gateway is left that takes part.');
  }

  async #warmPage(gateway: string, keys: readonly string[], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const open = new Set(keys);
    try {
      for (let at = 0; at < keys.length; at += PREHEAT_KEYS) {
        const batch = keys.slice(at, at + PREHEAT_KEYS);
        for await (const warmed of this.#warmAt(gateway)(this.#bucket, batch, signal))
          this.#note(gateway, warmed, open);
      }
      if (open.size > 0) throw new Error('It ended without saying what came of all objects.');
    } catch (error) {
      signal.throwIfAborted();
      this.counts.failed += open.size;
      this.lost.add(gateway);
      this.#tell({ type: 'lost', gateway, error: error instanceof Error ? error.message : String(error) });
    }
  }

  #note(gateway: string, warmed: Warmed, open: Set<string>): void {
    if (warmed.kind === 'bytes') {
      this.counts.bytes += warmed.bytes;
      return;
    }
    if (!open.delete(warmed.key)) return;
    if (warmed.kind === 'warm') this.counts.warmed += 1;
    if (warmed.kind === 'uncached') this.counts.uncached += 1;
    if (warmed.kind !== 'failed') return;
    this.counts.failed += 1;
    this.#named += 1;
    if (this.#named > NAMED_FAILURES) return;
    this.#tell({ type: 'unread', gateway, key: warmed.key, error: warmed.error });
  }
}
