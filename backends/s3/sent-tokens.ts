// The session tokens that requests were last sent with. Tokens of the SDK's credential chain are in no configuration,
// and the origin is sent nothing else that is secret: what it repeats in its errors can be told by them.

/** One is in use at a time; errors may come of requests that were sent with the one before. */
const TOKENS_MAX = 4;

export class SentTokens {
  readonly #tokens = new Set<string>();

  note(token: string | undefined): void {
    if (token === undefined || this.#tokens.has(token)) return;
    this.#tokens.add(token);
    for (const oldest of this.#tokens) {
      if (this.#tokens.size <= TOKENS_MAX) return;
      this.#tokens.delete(oldest);
    }
  }

  all(): readonly string[] {
    return [...this.#tokens];
  }
}
