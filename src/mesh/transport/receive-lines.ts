// JSON values out of an answer in lines. Empty lines are signs of life.
import { StringDecoder } from 'node:string_decoder';
import { MeshError } from '../transport.ts';
import type { Incoming, Taken } from './incoming.ts';
import { parseJson } from './read-body.ts';

export class LineReader {
  readonly #incoming: Incoming;
  readonly #who: string;
  readonly #maxLineBytes: number;
  readonly #decoder = new StringDecoder('utf8');
  readonly #lines: string[] = [];
  #rest = '';

  constructor(incoming: Incoming, options: { readonly who: string; readonly maxLineBytes: number }) {
    this.#incoming = incoming;
    this.#who = options.who;
    this.#maxLineBytes = options.maxLineBytes;
  }

  /** Undefined at the clean end. Rejects with MeshError, which lets go of the answer. */
  async next(): Promise<Taken<unknown> | undefined> {
    for (;;) {
      const line = this.#lines.shift();
      if (line !== undefined) return this.#parse(line);
      const chunk = await this.#incoming.next();
      if (chunk === undefined) {
        if (this.#rest !== '') throw this.#malformed('its last line has no end');
        return undefined;
      }
      this.#split(this.#decoder.write(chunk.value));
    }
  }

  #split(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') this.#lines.push(line);
    if (this.#rest.length > this.#maxLineBytes)
      throw this.#malformed(`a line is longer than ${this.#maxLineBytes} bytes`);
  }

  #parse(line: string): Taken<unknown> {
    const parsed = parseJson(line);
    if (parsed === undefined) throw this.#malformed('a line is not JSON');
    return parsed;
  }

  #malformed(what: string): MeshError {
    this.#incoming.leave();
    return new MeshError('Malformed', `${this.#who} gave a wrong answer: ${what}.`);
  }
}
