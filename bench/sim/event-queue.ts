// A clock that jumps from event to event, and the events in the order of their time.

interface Event {
  readonly atMs: number;
  /** Of two at the same moment the one that was planned first goes first. */
  readonly order: number;
  readonly run: () => void;
}

export class EventQueue {
  /** A binary heap. */
  readonly #heap: Event[] = [];
  #nowMs = 0;
  #planned = 0;
  #unsettled = false;
  ran = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  get size(): number {
    return this.#heap.length;
  }

  at(atMs: number, run: () => void): void {
    const event = { atMs: Math.max(atMs, this.#nowMs), order: this.#planned, run };
    this.#planned += 1;
    this.#heap.push(event);
    this.#rise(this.#heap.length - 1);
  }

  after(ms: number, run: () => void): void {
    this.at(this.#nowMs + ms, run);
  }

  /** What has just run goes on in promises: they are to come to rest before the clock moves. */
  unsettled(): void {
    this.#unsettled = true;
  }

  /** Until nothing is planned, or the time is up. */
  async run(untilMs: number, each: () => void): Promise<void> {
    for (let event = this.#heap[0]; event !== undefined && event.atMs <= untilMs; event = this.#heap[0]) {
      this.#takeFirst();
      this.#nowMs = event.atMs;
      event.run();
      this.ran += 1;
      if (this.#unsettled) {
        this.#unsettled = false;
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (this.ran % 100_000 === 0) each();
    }
  }

  #takeFirst(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink(0);
  }

  #rise(from: number): void {
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #sink(from: number): void {
    for (let at = from; ; ) {
      const left = 2 * at + 1;
      const right = left + 1;
      let first = at;
      if (left < this.#heap.length && this.#isBefore(left, first)) first = left;
      if (right < this.#heap.length && this.#isBefore(right, first)) first = right;
      if (first === at) return;
      this.#swap(at, first);
      at = first;
    }
  }

  #isBefore(one: number, other: number): boolean {
    const [left, right] = [this.#heap[one], this.#heap[other]];
    if (left === undefined || right === undefined) return false;
    return left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order);
  }

  #swap(one: number, other: number): void {
    const [left, right] = [this.#heap[one], this.#heap[other]];
    if (left === undefined || right === undefined) return;
    this.#heap[one] = right;
    this.#heap[other] = left;
  }
}
