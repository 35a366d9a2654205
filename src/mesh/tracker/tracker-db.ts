// Which peers hold which pieces, in LevelDB. Owner of the key space 'tracker': a row for each slab and peer, whose value
// is the bitmap of its pieces, and one for each slab with the roots of its pieces. Soft state too: what is lost here is
// announced again, and what is wrong costs a question.
import type { Level } from 'level';
import { BitSet } from '../../pieces/bit-set.ts';
import type { MemberId } from '../member.ts';
import type { SlabKey } from '../slab.ts';
import type { SlabState } from './slab-state.ts';
import type { Holdings } from './tracker-calls.ts';

export interface TrackerDbDeps {
  readonly database: Level;
  readonly find: (slab: SlabKey) => SlabState | undefined;
  readonly failed: (error: unknown) => void;
}

export interface TrackerDbOptions {
  /** The one asked about longest ago goes first. */
  readonly maxSlabs: number;
  /** Changes are written together. Default 1 s. */
  readonly writeEveryMs?: number;
}

const ROOT_BYTES = 32;

export class TrackerDb {
  readonly #space;
  readonly #find: (slab: SlabKey) => SlabState | undefined;
  readonly #failed: (error: unknown) => void;
  readonly #options: Required<TrackerDbOptions>;
  readonly #changed = new Map<SlabKey, Set<MemberId>>();
  readonly #slabs = new Set<SlabKey>();
  #timer: NodeJS.Timeout | undefined;
  readonly #listed: Promise<void>;
  #writing: Promise<void>;

  constructor(deps: TrackerDbDeps, options: TrackerDbOptions) {
    this.#space = deps.database.sublevel<string, Uint8Array>('tracker', { valueEncoding: 'view' });
    this.#find = deps.find;
    this.#failed = deps.failed;
    this.#options = { writeEveryMs: 1_000, ...options };
    this.#writing = this.#listSlabs().catch(this.#failed);
    this.#listed = this.#writing;
  }

  /** What of this slab is to be written, soon. */
  changed(slab: SlabKey, member: MemberId): void {
    const members = this.#changed.get(slab) ?? new Set();
    this.#changed.set(slab, members.add(member));
    this.#timer ??= setTimeout(() => this.#flush(), this.#options.writeEveryMs).unref();
  }

  /** Nothing where nothing is known, or LevelDB fails. */
  async holdings(slab: SlabKey): Promise<Holdings> {
    const roots = new Map<number, string>();
    const rows: Holdings['rows'][number][] = [];
    await this.#listed;
    if (!this.#slabs.has(slab)) return { roots, rows };
    this.#slabs.delete(slab);
    this.#slabs.add(slab);
    try {
      for await (const [key, value] of this.#space.iterator({ gte: `${slab}!`, lt: `${slab}"` })) {
        const member = key.slice(slab.length + 1);
        if (member === '') readRoots(value, roots);
        else rows.push({ member, held: heldBy(value) });
      }
    } catch (error) {
      this.#failed(error);
    }
    return { roots, rows };
  }

  /** All that changed is written, or LevelDB has refused it. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#flush();
    await this.#writing;
  }

  async #listSlabs(): Promise<void> {
    for await (const row of this.#space.keys()) this.#slabs.add(slabIn(row));
  }

  #flush(): void {
    this.#timer = undefined;
    const changed = [...this.#changed];
    this.#changed.clear();
    this.#writing = this.#writing.then(() => this.#write(changed)).catch(this.#failed);
  }

  async #write(changed: readonly (readonly [SlabKey, ReadonlySet<MemberId>])[]): Promise<void> {
    const batch = this.#space.batch();
    for (const [key, members] of changed) {
      const slab = this.#find(key);
      if (slab === undefined) continue;
      this.#slabs.delete(key);
      this.#slabs.add(key);
      batch.put(`${key}!`, writeRoots(slab.roots));
      for (const member of members) {
        const held = slab.holders.get(member);
        if (held === undefined) batch.del(`${key}!${member}`);
        else batch.put(`${key}!${member}`, withSize(held));
      }
    }
    await batch.write();
    for (const slab of this.#slabs) {
      if (this.#slabs.size <= this.#options.maxSlabs) return;
      this.#slabs.delete(slab);
      await this.#space.clear({ gte: `${slab}!`, lt: `${slab}"` });
    }
  }
}

function slabIn(row: string): SlabKey {
  return row.slice(0, row.indexOf('!'));
}

/** The number of pieces in two bytes, then the bitmap. */
function withSize(held: BitSet): Uint8Array {
  const bytes = held.toBytes();
  const value = new Uint8Array(2 + bytes.length);
  value.set([held.size >> 8, held.size & 0xff]);
  value.set(bytes, 2);
  return value;
}

function heldBy(value: Uint8Array): BitSet {
  const size = ((value[0] ?? 0) << 8) | (value[1] ?? 0);
  return BitSet.fromBytes(size, value.subarray(2));
}

/** For each a byte for the piece's index, then its root. */
function writeRoots(roots: ReadonlyMap<number, string>): Uint8Array {
  return Buffer.concat(
    [...roots].map(([piece, root]) => Buffer.from(piece.toString(16).padStart(2, '0') + root, 'hex')),
  );
}

function readRoots(value: Uint8Array, roots: Map<number, string>): void {
  for (let at = 0; at + ROOT_BYTES < value.length; at += ROOT_BYTES + 1) {
    const root = Buffer.from(value.subarray(at + 1, at + 1 + ROOT_BYTES)).toString('hex');
    roots.set(value[at] ?? 0, root);
  }
}
