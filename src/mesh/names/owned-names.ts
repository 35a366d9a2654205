// The names an owner keeps, in bounded memory: those that are idle are forgotten, least recently used first; those that
// somebody writes or asks about never are.
import { LRUCache } from 'lru-cache';
import { MeshError } from '../transport.ts';
import { disbelieve, leasedUntilMs, type OwnedName, openName } from './owned-name.ts';

export interface OwnedNamesOptions {
  /** Idle ones. */
  readonly maxIdle: number;
  /** Being written, or asked about. */
  readonly maxBusy: number;
}

export class OwnedNames {
  readonly #idle: LRUCache<string, OwnedName>;
  readonly #busy = new Map<string, OwnedName>();
  readonly #options: OwnedNamesOptions;
  #epoch = 0;
  /** Leases on names that were forgotten have run out by then. */
  #forgottenUntilMs = 0;

  constructor(options: OwnedNamesOptions) {
    this.#options = options;
    this.#idle = new LRUCache({
      max: options.maxIdle,
      dispose: (name, _, reason) => {
        if (reason === 'evict') this.#forgottenUntilMs = Math.max(this.#forgottenUntilMs, leasedUntilMs(name));
      },
    });
  }

  get size(): number {
    return this.#idle.size + this.#busy.size;
  }

  /** Made where there is none. Rejects with MeshError Busy. */
  open(key: string): OwnedName {
    const name = this.#busy.get(key) ?? this.#idle.get(key) ?? this.#make(key);
    return this.#upToDate(name);
  }

  find(key: string): OwnedName | undefined {
    const name = this.#busy.get(key) ?? this.#idle.get(key);
    return name && this.#upToDate(name);
  }

  /** Call after each change of its marks and tickets. */
  sort(name: OwnedName): void {
    this.#upToDate(name);
    const busy = name.marks.size > 0 || name.tickets > 0;
    if (busy === this.#busy.has(name.key)) return;
    if (busy) {
      this.#idle.delete(name.key);
      this.#busy.set(name.key, name);
    } else {
      this.#busy.delete(name.key);
      this.#idle.set(name.key, name);
    }
  }

  /** No record is believed any longer; marks and leases stay. */
  disbelieveAll(): void {
    this.#epoch += 1;
  }

  #make(key: string): OwnedName {
    if (this.#busy.size >= this.#options.maxBusy) {
      throw new MeshError('Busy', 'More names are being written or asked about than this gateway keeps track of.');
    }
    const name = openName(key, this.#epoch, this.#forgottenUntilMs);
    this.#idle.set(key, name);
    return name;
  }

  #upToDate(name: OwnedName): OwnedName {
    if (name.epoch !== this.#epoch) {
      name.epoch = this.#epoch;
      disbelieve(name);
    }
    return name;
  }
}
