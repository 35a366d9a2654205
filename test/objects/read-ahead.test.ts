import { expect, test } from 'vitest';
import { ReadAhead } from '../../src/objects/read-ahead.ts';

const MIB = 1024 * 1024;
const PIECE = 4 * MIB;

test('a single read fetches nothing ahead', () => {
  const ahead = new ReadAhead({ maxBytes: 64 * MIB });
  expect(ahead.observe('v', 0, 100, PIECE)).toBe(100);
  expect(ahead.observe('v', 50 * MIB, 50 * MIB + 100, PIECE)).toBe(50 * MIB + 100);
});

test('reads that go on where the last one ended are fetched ever farther ahead, up to the limit', () => {
  const ahead = new ReadAhead({ maxBytes: 16 * MIB });
  const windows: number[] = [];
  for (let at = 0; at < 10 * PIECE; at += PIECE) {
    windows.push((ahead.observe('v', at, at + PIECE, PIECE) - at - PIECE) / MIB);
  }
  expect(windows).toEqual([0, 4, 8, 16, 16, 16, 16, 16, 16, 16]);
});

test('two sequential readers of one version do not disturb each other', () => {
  const ahead = new ReadAhead({ maxBytes: 64 * MIB });
  ahead.observe('v', 0, MIB, PIECE);
  ahead.observe('v', 100 * MIB, 101 * MIB, PIECE);
  expect(ahead.observe('v', MIB, 2 * MIB, PIECE)).toBe(2 * MIB + PIECE);
  expect(ahead.observe('v', 101 * MIB, 102 * MIB, PIECE)).toBe(102 * MIB);
  expect(ahead.observe('v', 2 * MIB, 3 * MIB, PIECE)).toBe(3 * MIB + 2 * PIECE);
  expect(ahead.observe('v', 102 * MIB, 103 * MIB, PIECE)).toBe(103 * MIB + PIECE);
});

test('two reads that happen to follow each other in the middle are no sequential reader', () => {
  const ahead = new ReadAhead({ maxBytes: 64 * MIB });
  for (const at of [40, 7, 41, 90, 8]) {
    expect(ahead.observe('v', at * MIB, (at + 1) * MIB, PIECE)).toBe((at + 1) * MIB);
  }
});

test('bytes fetched ahead that go unused shrink the window', () => {
  const ahead = new ReadAhead({ maxBytes: 64 * MIB });
  for (let at = 0; at < 5 * PIECE; at += PIECE) ahead.observe('v', at, at + PIECE, PIECE);
  const before = ahead.observe('v', 5 * PIECE, 6 * PIECE, PIECE) - 6 * PIECE;
  ahead.observe('v', 500 * MIB, 501 * MIB, PIECE);
  const after = ahead.observe('v', 6 * PIECE, 7 * PIECE, PIECE) - 7 * PIECE;
  expect(after).toBeLessThan(before);
});

test('with a limit of zero nothing is ever fetched ahead', () => {
  const ahead = new ReadAhead({ maxBytes: 0 });
  for (let at = 0; at < 5 * PIECE; at += PIECE) expect(ahead.observe('v', at, at + PIECE, PIECE)).toBe(at + PIECE);
});
