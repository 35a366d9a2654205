// What a protocol server is told to do wrong: a rule is used up by the requests it applies to.
import { setTimeout as delay } from 'node:timers/promises';
import { type Call, flipped } from './call.ts';

export type Fault =
  /** Answers before it read any of the body. */
  | { readonly kind: 'refuse'; readonly status: number; readonly code: string }
  /** Never answers; with `afterBytes`, sends that much of the answer's body and then nothing. */
  | { readonly kind: 'stall'; readonly afterBytes?: number }
  /** Cuts the connection; with `afterBytes`, in the middle of the answer's body. */
  | { readonly kind: 'cut'; readonly afterBytes?: number }
  /** Sends the answer's body in pieces, with pauses. */
  | { readonly kind: 'slow'; readonly pieces: number; readonly everyMs: number }
  | { readonly kind: 'latency'; readonly ms: number }
  /** Changes one byte of the body it answers, or of the body it stores. */
  | { readonly kind: 'corrupt' };

export interface FaultRule {
  readonly fault: Fault;
  /** Default: every request. */
  readonly when?: ((call: Call) => boolean) | undefined;
  /** How many requests; default 1. */
  readonly times?: number | undefined;
}

export class Faults {
  #rules: { rule: FaultRule; left: number }[] = [];

  add(rule: FaultRule): void {
    this.#rules.push({ rule, left: rule.times ?? 1 });
  }

  clear(): void {
    this.#rules = [];
  }

  take(call: Call): Fault | undefined {
    const found = this.#rules.find(({ rule, left }) => left > 0 && (rule.when?.(call) ?? true));
    if (found === undefined) return undefined;
    found.left -= 1;
    return found.rule.fault;
  }
}

/** Makes the answer's body come as the fault has it; the head is already decided. */
export function bendAnswer(call: Call, fault: Fault): void {
  const { response } = call;
  const end = response.end.bind(response);
  const bent = (body?: unknown): typeof response => {
    if (!Buffer.isBuffer(body)) return end(body);
    if (fault.kind === 'corrupt') return end(flipped(body));
    if (fault.kind === 'stall') response.write(body.subarray(0, fault.afterBytes));
    if (fault.kind === 'cut') response.write(body.subarray(0, fault.afterBytes), () => response.destroy());
    if (fault.kind === 'slow') drip(call, body, fault.pieces, fault.everyMs, end);
    return response;
  };
  response.end = bent;
}

function drip({ response }: Call, body: Buffer, pieces: number, everyMs: number, end: () => unknown): void {
  const size = Math.ceil(body.length / pieces);
  const send = async () => {
    for (let start = 0; start < body.length && !response.destroyed; start += size) {
      response.write(body.subarray(start, start + size));
      await delay(everyMs);
    }
    end();
  };
  send().catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
}
