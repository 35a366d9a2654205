// Which piece goes when room is needed: S3-FIFO (Yang et al., SOSP 2023) by bytes. Newcomers wait in a small queue and
// leave from there unless they are read again; those that are go to the main queue, where each read buys another round.
// A pure policy over ids and sizes: it deletes nothing. Three departures from the paper:
// - Reads close together count once (a piece is read in many steps): a read counts when enough other bytes have come
//   in since the last one that counted.
// - What others can spare this gateway from keeping (spare()) goes before everything else.
// - What must not go now (pinned, being written) is parked until unpark(): never looked at again in vain.

export interface EvictionRules<Id> {
  evictable(id: Id): boolean;
}

type Queue = 'small' | 'main' | 'spare' | 'parked';

interface Entry {
  bytes: number;
  queue: Queue;
  /** Where it goes back to when it is no longer parked, or spare. */
  home: 'small' | 'main';
  /** 0 to 3: reads that counted. */
  reads: number;
  /** Where #clockBytes stood when a read last counted. */
  countedAt: number;
}

const MAX_READS = 3;

export class S3Fifo<Id = string> {
  readonly #entries = new Map<Id, Entry>();
  /** Map order is queue order: the first is the next to go. */
  readonly #queues: Record<Queue, Set<Id>> = {
    small: new Set(),
    main: new Set(),
    spare: new Set(),
    parked: new Set(),
  };
  readonly #ghosts = new Set<Id>();
  readonly #smallBytes: number;
  readonly #apartBytes: number;
  #smallNow = 0;
  #bytes = 0;
  /** Bytes that ever came in: the policy's clock. */
  #clockBytes = 0;

  constructor(options: { capacityBytes: number; smallShare?: number; apartShare?: number }) {
    this.#smallBytes = options.capacityBytes * (options.smallShare ?? 0.1);
    this.#apartBytes = options.capacityBytes * (options.apartShare ?? 1 / 64);
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Bytes that ever came in. */
  get arrivedBytes(): number {
    return this.#clockBytes;
  }

  has(id: Id): boolean {
    return this.#entries.has(id);
  }

  /** `known`: it was here before (after a restart, say) and skips the small queue. */
  add(id: Id, bytes: number, known = false): void {
    this.remove(id);
    const queue = this.#ghosts.delete(id) || known ? 'main' : 'small';
    this.#entries.set(id, { bytes: 0, queue, home: queue, reads: 0, countedAt: this.#clockBytes });
    this.#queues[queue].add(id);
    this.resize(id, bytes);
  }

  resize(id: Id, bytes: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    const grown = bytes - entry.bytes;
    entry.bytes = bytes;
    this.#bytes += grown;
    if (entry.queue === 'small') this.#smallNow += grown;
    if (grown <= 0) return;
    this.#clockBytes += grown;
    // Its own bytes are no other bytes.
    entry.countedAt += grown;
  }

  touch(id: Id): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || this.#clockBytes - entry.countedAt < this.#apartBytes) return;
    entry.countedAt = this.#clockBytes;
    entry.reads = Math.min(MAX_READS, entry.reads + 1);
  }

  remove(id: Id): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.resize(id, 0);
    this.#queues[entry.queue].delete(id);
    this.#entries.delete(id);
  }

  /** What stood in the way of evicting it is gone. */
  unpark(id: Id): void {
    const entry = this.#entries.get(id);
    if (entry?.queue === 'parked') this.#move(id, entry, entry.home);
  }

  /** It goes before all that is not spare, read or not. */
  spare(id: Id): void {
    const entry = this.#entries.get(id);
    if (entry?.queue === 'small' || entry?.queue === 'main') this.#move(id, entry, 'spare');
  }

  /** It is no longer spare. */
  keep(id: Id): void {
    const entry = this.#entries.get(id);
    if (entry?.queue === 'spare') this.#move(id, entry, entry.home);
  }

  /** All that is not spare, about as it would go: what was not read again first. May be changed meanwhile. */
  *upcoming(): Generator<Id, void, undefined> {
    const order: readonly Queue[] = this.#next === 'main' ? ['main', 'small'] : ['small', 'main'];
    for (const isRead of [false, true]) {
      for (const queue of order) {
        for (const id of this.#queues[queue]) if ((this.#entries.get(id)?.reads ?? 0) > 0 === isRead) yield id;
      }
    }
  }

  /** Takes out the next to go and names it; undefined when nothing may go. */
  evict(rules: EvictionRules<Id>): Id | undefined {
    for (;;) {
      const [id] = this.#queues[this.#next];
      const entry = id === undefined ? undefined : this.#entries.get(id);
      if (id === undefined || entry === undefined) return undefined;
      if (!this.#keeps(id, entry, rules)) {
        this.remove(id);
        if (entry.home === 'small') this.#remember(id);
        return id;
      }
    }
  }

  /** Where the next to go is. */
  get #next(): Queue {
    const { small, main, spare } = this.#queues;
    if (spare.size > 0) return 'spare';
    const isSmall = main.size === 0 || (small.size > 0 && this.#smallNow >= this.#smallBytes);
    return isSmall ? 'small' : 'main';
  }

  #keeps(id: Id, entry: Entry, rules: EvictionRules<Id>): boolean {
    if (!rules.evictable(id)) {
      this.#move(id, entry, 'parked');
    } else if (entry.queue !== 'spare' && entry.reads > 0) {
      entry.reads = entry.queue === 'small' ? 0 : entry.reads - 1;
      this.#move(id, entry, 'main');
    } else {
      return false;
    }
    return true;
  }

  #move(id: Id, entry: Entry, to: Queue): void {
    if (entry.queue === 'small') this.#smallNow -= entry.bytes;
    this.#queues[entry.queue].delete(id);
    entry.queue = to;
    if (to === 'small' || to === 'main') entry.home = to;
    this.#queues[to].add(id);
    if (to === 'small') this.#smallNow += entry.bytes;
  }

  /** As many ids as there are entries: coming back while remembered proves a second use. */
  #remember(id: Id): void {
    this.#ghosts.add(id);
    const limit = Math.max(1024, this.#entries.size);
    for (const ghost of this.#ghosts) {
      if (this.#ghosts.size <= limit) break;
      this.#ghosts.delete(ghost);
    }
  }
}
