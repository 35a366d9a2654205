import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { Level } from 'level';
import { expect, test } from 'vitest';
import { BitSet } from '../../src/pieces/bit-set.ts';
import { BlockDigests } from '../../src/pieces/digests.ts';
import { pieceKey } from '../../src/pieces/piece.ts';
import { PieceDb } from '../../src/pieces/piece-db.ts';
import { decodeRecord, encodeRecord, type PieceRecord } from '../../src/pieces/piece-record.ts';
import { RememberingObserver } from '../support/disk-shelf.ts';
import { testVersion } from '../support/piece-content.ts';

function recordOf(key: string, blocks = 3): PieceRecord {
  return {
    piece: { version: testVersion(key, blocks * 10, blocks * 10), index: 0 },
    disk: '01234567',
    file: '0123456789ab-01',
    blockSize: 10,
    madeAt: 1,
    held: BitSet.none(blocks).with(0),
    digests: BlockDigests.empty(blocks),
    checksums: undefined,
  };
}

interface World {
  readonly db: PieceDb;
  readonly observer: RememberingObserver;
  readonly refuse: { batches: boolean };
  readonly batches: number[];
}

/** A PieceDb over a real LevelDB whose batches can be refused. */
async function world(maxWaiting: number, act: (world: World) => Promise<void>): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'dfstore-db-'));
  const level = new Level(join(root, 'level'));
  await level.open();
  const refuse = { batches: false };
  const batches: number[] = [];
  const refusing = {
    sublevel: (name: string, options: object) => {
      const rows = level.sublevel<string, Uint8Array>(name, options);
      const batch = rows.batch.bind(rows) as (operations: unknown[]) => Promise<void>;
      const refusingBatch = (operations: unknown[]): Promise<void> => {
        batches.push(operations.length);
        return refuse.batches ? Promise.reject(new Error('LevelDB refuses')) : batch(operations);
      };
      return Object.assign(rows, { batch: refusingBatch });
    },
  };
  const observer = new RememberingObserver();
  const db = new PieceDb({ level: refusing as unknown as Level, observer }, { flushMs: 60_000, maxWaiting });
  try {
    await act({ db, observer, refuse, batches });
  } finally {
    refuse.batches = false;
    await db.close();
    await level.close();
    await rm(root, { recursive: true });
  }
}

test('marks go to LevelDB together, the last word on each piece only', () =>
  world(100, async ({ db, batches }) => {
    const record = recordOf('a');
    const key = pieceKey(record.piece);
    for (let times = 0; times < 50; times += 1) db.put(key, record);
    const other = recordOf('b');
    db.put(pieceKey(other.piece), other);
    db.delete(pieceKey(other.piece));
    expect(await db.get(key)).toBe(record);
    expect(await db.get(pieceKey(other.piece))).toBeUndefined();
    await db.flush();
    expect(batches).toEqual([2]);
    expect((await db.get(key))?.piece).toEqual(record.piece);
  }));

test('marks that LevelDB refused are answered from memory and written once it takes them again', () =>
  world(100, async ({ db, observer, refuse }) => {
    const record = recordOf('a');
    const key = pieceKey(record.piece);
    refuse.batches = true;
    db.put(key, record);
    expect(await db.flush()).toBe(false);
    expect(observer.databaseErrors).toHaveLength(1);
    expect(await db.get(key)).toBe(record);
    refuse.batches = false;
    expect(await db.flush()).toBe(true);
    const rows: string[] = [];
    for await (const [each] of db.rows()) rows.push(each);
    expect(rows).toEqual([key]);
  }));

test('marks that wait in vain are bounded, and the oldest are given up', () =>
  world(10, async ({ db, refuse }) => {
    refuse.batches = true;
    const records = Array.from({ length: 30 }, (_, index) => recordOf(`key-${index}`));
    for (const record of records) db.put(pieceKey(record.piece), record);
    await db.flush();
    const kept = await Promise.all(records.map((record) => db.get(pieceKey(record.piece))));
    expect(kept.filter((each) => each !== undefined)).toHaveLength(10);
    expect(kept.at(-1)).toBe(records.at(-1));
  }));

test('a record is read back as it was written, whatever its names and sets', () => {
  const anyRecord = fc.record({
    key: fc.string({ unit: 'binary' }),
    blocks: fc.integer({ min: 1, max: 70 }),
    held: fc.array(fc.nat(69)),
    checksums: fc.boolean(),
  });
  fc.assert(
    fc.property(anyRecord, ({ key, blocks, held, checksums }) => {
      const digests = BlockDigests.empty(blocks);
      for (let block = 0; block < blocks; block += 1) digests.set(block, Buffer.alloc(32, block + 1));
      const record: PieceRecord = {
        ...recordOf(key, blocks),
        held: BitSet.from(blocks, (block) => held.includes(block)),
        digests,
        checksums: checksums ? Uint32Array.from({ length: blocks }, (_, block) => 2 ** 32 - 1 - block) : undefined,
      };
      const read = decodeRecord(pieceKey(record.piece), encodeRecord(record));
      expect(read).toMatchObject({ piece: record.piece, disk: record.disk, file: record.file, madeAt: 1 });
      expect([...(read?.held ?? [])]).toEqual([...record.held]);
      expect(read?.digests.bytes.equals(digests.bytes)).toBe(true);
      expect(read?.checksums).toEqual(record.checksums);
    }),
  );
});

test('a row that was cut, lengthened, flipped or put under another id is no record or one of other digests', () => {
  const record = recordOf('key');
  const bytes = encodeRecord(record);
  const key = pieceKey(record.piece);
  expect(decodeRecord(pieceKey({ version: testVersion('other', 30, 30), index: 0 }), bytes)).toBeUndefined();
  expect(decodeRecord(`${key.slice(0, -1)}1`, bytes)).toBeUndefined();
  for (let length = 0; length < bytes.length; length += 1) {
    expect(decodeRecord(key, bytes.subarray(0, length))).toBeUndefined();
  }
  expect(decodeRecord(key, Buffer.concat([bytes, Buffer.alloc(1)]))).toBeUndefined();
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(7), (at, bit) => {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
      const read = decodeRecord(key, flipped);
      if (read !== undefined) expect(read.piece.version).toEqual(record.piece.version);
    }),
  );
});
