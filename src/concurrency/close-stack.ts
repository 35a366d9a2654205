// Everything that was opened, closed last first. Each is closed once, however often close is called, and one that
// fails to close does not keep the others open.

export class CloseStack {
  readonly #entries: { readonly name: string; readonly close: () => unknown }[] = [];
  #closing: Promise<void> | undefined;

  /** Throws once closing has begun: what is opened then would stay open. */
  push(name: string, close: () => unknown): void {
    if (this.#closing !== undefined) throw new Error(`'${name}' was opened while everything is being closed.`);
    this.#entries.push({ name, close });
  }

  /** Rejects with an AggregateError after all were tried. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  async #closeAll(): Promise<void> {
    const errors: Error[] = [];
    for (const { name, close } of this.#entries.toReversed()) {
      try {
        await close();
      } catch (cause) {
        errors.push(new Error(`Closing '${name}' failed.`, { cause }));
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, errors.map((error) => error.message).join(' '));
  }
}
