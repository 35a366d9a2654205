// One line that is written over and over, on a terminal; elsewhere nothing.

type Terminal = Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'write'>;

export class ProgressLine {
  readonly #terminal: Terminal;
  #shown = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  show(text: string): void {
    if (!this.#terminal.isTTY) return;
    this.clear();
    // A line that wraps could not be written over.
    this.#terminal.write(text.slice(0, Math.max(1, this.#terminal.columns - 1)));
    this.#shown = true;
  }

  clear(): void {
    if (this.#shown) this.#terminal.write('\r\x1b[2K');
    this.#shown = false;
  }
}
