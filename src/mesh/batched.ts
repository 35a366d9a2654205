// Gathers what is said within a moment, so that it goes in one call.

export class Batched<Item> {
  readonly #send: (items: Item[]) => void;
  readonly #waitMs: number;
  #items: Item[] = [];
  #timer: NodeJS.Timeout | NodeJS.Immediate | undefined;

  /** `waitMs`: how long the first one waits for others; 0: until the end of this turn. */
  constructor(send: (items: Item[]) => void, waitMs: number) {
    this.#send = send;
    this.#waitMs = waitMs;
  }

  add(item: Item): void {
    this.#items.push(item);
    if (this.#timer !== undefined) return;
    const flush = () => this.flush();
    this.#timer = this.#waitMs === 0 ? setImmediate(flush) : setTimeout(flush, this.#waitMs);
  }

  /** Now, what there is. */
  flush(): void {
    this.#timer = undefined;
    if (this.#items.length > 0) this.#send(this.#items.splice(0));
  }
}
