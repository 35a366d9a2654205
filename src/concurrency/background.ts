// Work that nobody awaits: its failures are reported, and it is finished before close.

export class Background {
  readonly #failed: (task: string, error: unknown) => void;
  readonly #running = new Set<Promise<void>>();

  constructor(deps: { failed: (task: string, error: unknown) => void }) {
    this.#failed = deps.failed;
  }

  get running(): number {
    return this.#running.size;
  }

  run(task: string, work: Promise<unknown>): void {
    const tracked: Promise<void> = work
      .then(
        () => undefined,
        (error: unknown) => this.#failed(task, error),
      )
      .finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }

  /** Resolves when all that was begun has ended; ending it early is for who began it. */
  async close(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
