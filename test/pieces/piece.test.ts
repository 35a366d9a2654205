import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BitSet } from '../../src/pieces/bit-set.ts';
import { blockBytes, blockCount, blocksOf, bytesOf } from '../../src/pieces/blocks.ts';
import { cut, objectVersion, pieceCount, pieceKey, pieceLength, steps, versionIdOf } from '../../src/pieces/piece.ts';

const fields = fc.record({
  origin: fc.string(),
  bucket: fc.string(),
  key: fc.string({ unit: 'binary' }),
  etag: fc.string(),
  size: fc.nat(1_000_000),
  pieceSize: fc.integer({ min: 1, max: 300_000 }),
});

test('no two different lists of fields share an id, and the same fields have the same id', () => {
  fc.assert(
    fc.property(fields, fields, (a, b) => {
      const same = JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());
      expect(objectVersion(a).id === objectVersion(b).id).toBe(same);
      expect(objectVersion({ ...a }).id).toBe(objectVersion(a).id);
      expect(objectVersion(a).id).toMatch(/^[0-9a-f]{40}$/);
    }),
  );
});

test('moving a character from one field to the next changes the id', () => {
  const base = { origin: 'o', etag: 'e', size: 10, pieceSize: 4 };
  expect(objectVersion({ ...base, bucket: 'ab', key: 'c' }).id).not.toBe(
    objectVersion({ ...base, bucket: 'a', key: 'bc' }).id,
  );
});

test('gateways that cut differently never share a piece', () => {
  const base = { origin: 'o', bucket: 'b', key: 'k', etag: 'e', size: 10 };
  expect(objectVersion({ ...base, pieceSize: 4 }).id).not.toBe(objectVersion({ ...base, pieceSize: 5 }).id);
});

test('the slices of a range are its bytes, in order, each once, each within its piece', () => {
  fc.assert(
    fc.property(fields, fc.nat(), fc.nat(), (given, a, b) => {
      const size = given.size % 5000;
      const version = objectVersion({ ...given, size, pieceSize: (given.pieceSize % 700) + 1 });
      const [start, end] = [a % (size + 1), b % (size + 1)].toSorted((x, y) => x - y) as [number, number];
      let at = start;
      for (const slice of cut(version, { start, end })) {
        expect(slice.piece.index * version.pieceSize + slice.start).toBe(at);
        expect(slice.end).toBeGreaterThan(slice.start);
        expect(slice.end).toBeLessThanOrEqual(pieceLength(slice.piece));
        at += slice.end - slice.start;
      }
      expect(at).toBe(end);
    }),
  );
});

test('the pieces of an object have its size together, and an empty object has none', () => {
  fc.assert(
    fc.property(fc.nat(20_000), fc.integer({ min: 1, max: 3000 }), (size, pieceSize) => {
      const version = objectVersion({ origin: '', bucket: '', key: '', etag: '', size, pieceSize });
      let sum = 0;
      for (let index = 0; index < pieceCount(version); index += 1) sum += pieceLength({ version, index });
      expect(sum).toBe(size);
      expect(() => pieceLength({ version, index: pieceCount(version) })).toThrow(RangeError);
    }),
  );
});

test('the steps of a slice are its bytes, and all but the first begin on a multiple of the step', () => {
  const version = objectVersion({ origin: '', bucket: '', key: '', etag: '', size: 10_000, pieceSize: 10_000 });
  fc.assert(
    fc.property(fc.nat(10_000), fc.nat(10_000), fc.integer({ min: 1, max: 4000 }), (a, b, step) => {
      const [start, end] = [Math.min(a, b), Math.max(a, b)];
      let at = start;
      for (const each of steps({ piece: { version, index: 0 }, start, end }, step)) {
        expect(each.start).toBe(at);
        if (at !== start) expect(each.start % step).toBe(0);
        expect(each.end - each.start).toBeLessThanOrEqual(step);
        at = each.end;
      }
      expect(at).toBe(end);
    }),
  );
});

test('the blocks of a range cover it and no block more', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50_000 }),
      fc.integer({ min: 1, max: 9000 }),
      fc.nat(),
      fc.nat(),
      (length, blockSize, a, b) => {
        const start = Math.min(a % length, b % length);
        const end = Math.max(a % length, b % length) + 1;
        const blocks = blocksOf({ start, end }, blockSize);
        const bytes = bytesOf(blocks, length, blockSize);
        expect(bytes.start).toBeLessThanOrEqual(start);
        expect(bytes.end).toBeGreaterThanOrEqual(end);
        expect(blockBytes(blocks.first, length, blockSize).end).toBeGreaterThan(start);
        expect(blockBytes(blocks.end - 1, length, blockSize).start).toBeLessThan(end);
        expect(blocks.end).toBeLessThanOrEqual(blockCount(length, blockSize));
      },
    ),
  );
});

test('keys sort in reading order and name their version', () => {
  const version = objectVersion({ origin: '', bucket: 'b', key: 'k', etag: 'e', size: 2 ** 40, pieceSize: 2 ** 20 });
  fc.assert(
    fc.property(fc.nat(2 ** 20 - 1), fc.nat(2 ** 20 - 1), (a, b) => {
      const [one, two] = [pieceKey({ version, index: a }), pieceKey({ version, index: b })];
      expect(one < two).toBe(a < b);
      expect(versionIdOf(one)).toBe(version.id);
    }),
  );
});

test('a set of bits behaves as a set of numbers does', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 80 }), fc.array(fc.nat(79)), (size, numbers) => {
      const members = new Set(numbers.map((each) => each % size));
      let set = BitSet.none(size);
      for (const member of members) set = set.with(member);
      expect([...set]).toEqual([...members].toSorted((a, b) => a - b));
      expect(set.count).toBe(members.size);
      expect(set.isFull).toBe(members.size === size);
      expect(set.last).toBe(Math.max(-1, ...members));
      expect([...BitSet.fromBytes(size, set.toBytes())]).toEqual([...set]);
      expect(set.has(-1) || set.has(size)).toBe(false);
      const [first, end] = [Math.floor(size / 3), Math.ceil(size / 2)];
      expect(set.hasAll(first, end)).toBe(
        Array.from({ length: end - first }, (_, i) => first + i).every((i) => members.has(i)),
      );
    }),
  );
});

test('full and empty sets of a size are one object each, and nothing done to one changes another', () => {
  const before = BitSet.none(20);
  const after = before.withAll(0, 20);
  expect(after).toBe(BitSet.full(20));
  expect(before).toBe(BitSet.none(20));
  expect(before.count).toBe(0);
  BitSet.full(20).toBytes().fill(0);
  expect(BitSet.full(20).has(3)).toBe(true);
});
