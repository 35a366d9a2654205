// What a killed process said it was doing, and what may therefore be found afterwards.

import { VersionHistory } from './version-history.ts';

export const BUCKET = 'killed';
/** Of one lane each, which switches versioning on and off as it goes. */
export const VERSIONED_BUCKETS = ['killed-versions-2', 'killed-versions-3'] as const;
export const PART_MIN_BYTES = 100_000;

export interface ObjectState {
  readonly etag: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  /** Kept as metadata: tells which write made the record. */
  readonly nonce: string;
}

/** `state` null: the object is deleted. */
export interface LogLine {
  readonly phase: 'begun' | 'acknowledged';
  readonly key: string;
  readonly state: ObjectState | null;
  /** A bucket with versions; every key is in one bucket only. */
  readonly versioned?: string | undefined;
  /** The version that was made; told with the acknowledgement. */
  readonly version?: string | undefined;
  /** The version that is removed; nothing is made then. */
  readonly removed?: string | undefined;
}

export class History {
  readonly #settled = new Map<string, ObjectState | null>();
  readonly #begun = new Map<string, ObjectState | null>();
  readonly versions = new VersionHistory();
  acknowledged = 0;

  /** The last line may be cut. */
  read(log: string): void {
    for (const text of log.split('\n').slice(0, -1)) {
      const line = JSON.parse(text) as LogLine;
      if (line.versioned) {
        this.versions.read(line);
        this.acknowledged += line.phase === 'acknowledged' ? 1 : 0;
      } else if (line.phase === 'begun') {
        this.#begun.set(line.key, line.state);
      } else {
        this.#begun.delete(line.key);
        this.#settled.set(line.key, line.state);
        this.acknowledged += 1;
      }
    }
  }

  get keys(): string[] {
    return [...new Set([...this.#settled.keys(), ...this.#begun.keys()])];
  }

  /** Either the acknowledged state or, if something was under way, what it would have made. */
  allowed(key: string): (ObjectState | null)[] {
    const begun = this.#begun.get(key);
    const settled = this.#settled.get(key) ?? null;
    return begun === undefined ? [settled] : [settled, begun];
  }

  /** What was found is what the next process begins with. */
  settle(key: string, state: ObjectState | null): void {
    this.#begun.delete(key);
    this.#settled.set(key, state);
  }
}
