// What was used lately, by key: for what is looked up with every request, where the ceremony of an exact LRU costs more
// than what it finds. Two generations: what is used moves to the young one, and when that is full the old one goes.

export class Recent<Value> {
  readonly #halfSize: number;
  #young = new Map<string, Value>();
  #old = new Map<string, Value>();

  /** Keeps the last max/2 keys that were used, and at most `max`. */
  constructor(options: { readonly max: number }) {
    this.#halfSize = Math.max(1, Math.floor(options.max / 2));
  }

  get(key: string): Value | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: string, value: Value): void {
    if (this.#young.size >= this.#halfSize && !this.#young.has(key)) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }
}
