// Clients of the gateway that is killed: they read random ranges and write small objects until it is gone, and judge
// every byte they are given.
import { setTimeout as pause } from 'node:timers/promises';
import { askGateway, type ClientOutcome } from '../support/client-outcome.ts';
import { syntheticBytes } from '../support/synthetic-origin.ts';
import { CLIENT, LARGE_BYTES, LARGE_KEYS } from './cache-world.ts';
import type { GatewayProcess, Serving } from './gateway-process.ts';
import type { Random } from './random.ts';

const READERS = 8;
const WRITERS = 3;
const KEYS_OF_A_WRITER = 4;
const RANGE_MAX_BYTES = 3 * 1024 * 1024;
/** Room for the value itself. */
const WRITE_MIN_BYTES = 100;
const WRITE_MAX_BYTES = 400_000;

/** What a writer was told; `begun`: what it was not told any more, and may have happened. */
export interface WrittenState {
  acknowledged: string | undefined;
  begun: { value: string | undefined } | undefined;
}

export class CacheLoad {
  /** By key. A value is a nonce; its bytes follow from it. */
  readonly states = new Map<string, WrittenState>();
  readonly counts = { reads: 0, writes: 0, cut: 0 };
  readonly #random: Random;
  #serial = 0;
  #wrote: () => void = () => undefined;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Until the gateway is killed. Rejects when a client is given anything wrong, or turned away before. */
  async run(gateway: GatewayProcess, at: Serving): Promise<void> {
    const lanes = [
      ...Array.from({ length: READERS }, () => () => this.readLarge(at)),
      ...Array.from({ length: WRITERS }, (_, lane) => () => this.#writeOrRead(at, lane)),
    ];
    await Promise.all(lanes.map((act) => untilKilled(gateway, act)));
  }

  /** Resolves when so many more writes have been acknowledged, however slow the machine is. */
  async written(more: number): Promise<void> {
    const enough = this.counts.writes + more;
    while (this.counts.writes < enough) {
      await new Promise<void>((resolve) => {
        this.#wrote = resolve;
      });
    }
  }

  /** A random range of a random large object. */
  async readLarge(at: Serving): Promise<void> {
    const key = this.#random.pick(LARGE_KEYS);
    const start = Math.floor(this.#random.below(LARGE_BYTES - 1));
    const end = Math.min(LARGE_BYTES, start + 1 + Math.floor(this.#random.below(RANGE_MAX_BYTES)));
    const headers = { range: `bytes=${start}-${end - 1}` };
    const outcome = await ask(at, { path: `/read/${key}`, headers });
    this.#judge(`${key} from ${start}`, outcome, 206, syntheticBytes(`etag-of-${key}`, start, end));
    this.counts.reads += 1;
  }

  /** What the gateway answers for a key now must be this. */
  async expectWritten(at: Serving, key: string, value: string | undefined): Promise<void> {
    const outcome = await ask(at, { path: `/written/${key}` });
    if (value === undefined) {
      if (outcome.status !== 404 && !outcome.cut) throw new Error(`'${key}' is there (${outcome.status}), deleted.`);
    } else {
      this.#judge(key, outcome, 200, bytesOfValue(value));
    }
  }

  async #writeOrRead(at: Serving, lane: number): Promise<void> {
    const key = `${lane}-${Math.floor(this.#random.below(KEYS_OF_A_WRITER))}`;
    const state = this.states.get(key) ?? { acknowledged: undefined, begun: undefined };
    this.states.set(key, state);
    const choice = this.#random.below(5);
    if (choice < 2) return this.expectWritten(at, key, state.acknowledged);
    const value = choice < 4 ? this.#newValue() : undefined;
    state.begun = { value };
    const path = `/written/${key}`;
    const outcome = await ask(
      at,
      value === undefined ? { method: 'DELETE', path } : { method: 'PUT', path, body: bytesOfValue(value) },
    );
    if (outcome.cut) return undefined;
    if (outcome.status >= 300) throw new Error(`A write was answered ${outcome.status}: ${outcome.body}`);
    state.acknowledged = value;
    state.begun = undefined;
    this.counts.writes += 1;
    this.#wrote();
    return undefined;
  }

  #newValue(): string {
    this.#serial += 1;
    return `${this.#serial}:${WRITE_MIN_BYTES + Math.floor(this.#random.below(WRITE_MAX_BYTES))}`;
  }

  /** Of an answer that was cut, what came of it. */
  #judge(what: string, outcome: ClientOutcome, status: number, expected: Buffer): void {
    if (outcome.status !== status) throw new Error(`${what} was answered ${outcome.status}: ${outcome.body}`);
    if (outcome.cut) this.counts.cut += 1;
    const wanted = outcome.cut ? expected.subarray(0, outcome.body.length) : expected;
    if (!outcome.body.equals(wanted)) throw new Error(`${what} was served wrong bytes.`);
  }
}

async function untilKilled(gateway: GatewayProcess, act: () => Promise<void>): Promise<void> {
  while (!gateway.killed) {
    try {
      await act();
    } catch (error) {
      // The connection may tell of the kill before whoever sent it does.
      if (!(error instanceof ConnectionLost)) throw error;
      await pause(100);
      if (!gateway.killed) throw error;
    }
  }
}

class ConnectionLost extends Error {}

function ask(at: Serving, request: Parameters<typeof askGateway>[1]): Promise<ClientOutcome> {
  return askGateway({ ...CLIENT, ...at }, request).catch((cause: unknown) => {
    throw new ConnectionLost(`No answer to ${request.method ?? 'GET'} ${request.path}.`, { cause });
  });
}

function bytesOfValue(value: string): Buffer {
  return Buffer.alloc(Number(value.split(':')[1]), `${value} `);
}
