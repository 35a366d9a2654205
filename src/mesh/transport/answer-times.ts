// How long answers take lately, over all members, and how patient that makes: where a wire or a processor is full each
// answer takes long, and whoever is given up for that is replaced by somebody who knows less. How long an answer may be
// expected to take is reckoned as TCP reckons its retransmission timeout (RFC 6298).

const SMOOTHING = 1 / 8;
const DEVIATION_SMOOTHING = 1 / 4;
const DEVIATIONS = 4;
/** Times what is expected: giving up costs more than waiting. */
const ROOM = 2;
/** However slow all are, a limit is never longer than so many times itself. */
const LONGEST = 5;

export class AnswerTimes {
  #smoothedMs: number | undefined;
  #deviationMs = 0;

  /** An answer that comes at once has come after this time. */
  note(ms: number): void {
    if (this.#smoothedMs === undefined) {
      this.#smoothedMs = ms;
      this.#deviationMs = ms / 2;
      return;
    }
    this.#deviationMs += DEVIATION_SMOOTHING * (Math.abs(ms - this.#smoothedMs) - this.#deviationMs);
    this.#smoothedMs += SMOOTHING * (ms - this.#smoothedMs);
  }

  /** The limit, or longer where answers take about as long. */
  patience(limitMs: number): number {
    const expectedMs = (this.#smoothedMs ?? 0) + DEVIATIONS * this.#deviationMs;
    return Math.min(LONGEST * limitMs, Math.max(limitMs, ROOM * expectedMs));
  }
}
