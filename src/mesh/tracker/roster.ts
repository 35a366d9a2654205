// Values by id that can be looked at from any place on: so that a choice among thousands looks at a few of them, and not
// always at the same.

export class Roster<Value> {
  readonly #at = new Map<string, number>();
  readonly #values: { readonly id: string; readonly value: Value }[] = [];

  get size(): number {
    return this.#values.length;
  }

  get(id: string): Value | undefined {
    const at = this.#at.get(id);
    return at === undefined ? undefined : this.#values[at]?.value;
  }

  set(id: string, value: Value): void {
    const at = this.#at.get(id) ?? this.#values.length;
    this.#at.set(id, at);
    this.#values[at] = { id, value };
  }

  delete(id: string): boolean {
    const at = this.#at.get(id);
    if (at === undefined) return false;
    this.#at.delete(id);
    const last = this.#values.pop();
    if (last !== undefined && last.id !== id) {
      this.#values[at] = last;
      this.#at.set(last.id, at);
    }
    return true;
  }

  /** Every entry once, beginning at the place that `turn` in [0, 1) names. Not to be changed meanwhile. */
  *from(turn: number): Generator<readonly [id: string, value: Value], void, undefined> {
    const { length } = this.#values;
    const start = Math.floor(turn * length);
    for (let step = 0; step < length; step += 1) {
      const entry = this.#values[(start + step) % length];
      if (entry !== undefined) yield [entry.id, entry.value];
    }
  }

  *[Symbol.iterator](): Generator<readonly [id: string, value: Value], void, undefined> {
    yield* this.from(0);
  }
}
