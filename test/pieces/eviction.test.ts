import fc from 'fast-check';
import { expect, test } from 'vitest';
import { S3Fifo } from '../../src/pieces/eviction.ts';

const ANY = { evictable: () => true };

/** A cache of whole pieces around the policy: reads hit or bring the piece in, and room is made after. */
function cacheOf(capacityBytes: number, pieceBytes: number) {
  const policy = new S3Fifo({ capacityBytes });
  return {
    policy,
    read(id: string, steps = 1): boolean {
      const hit = policy.has(id);
      if (!hit) policy.add(id, pieceBytes);
      for (let step = hit ? 0 : 1; step < steps; step += 1) policy.touch(id);
      if (hit && steps === 1) policy.touch(id);
      while (policy.bytes > capacityBytes) if (policy.evict(ANY) === undefined) throw new Error('nothing to evict');
      return hit;
    },
  };
}

for (const steps of [1, 8]) {
  test(`a scan of four times the capacity leaves a hot half nine hits in ten (each piece read in ${steps} steps)`, () => {
    const cache = cacheOf(400, 1);
    const hot = Array.from({ length: 200 }, (_, index) => `hot-${index}`);
    for (const id of hot) cache.read(id, steps);
    let hits = 0;
    let reads = 0;
    for (let scanned = 0; scanned < 1600; scanned += 1) {
      cache.read(`scan-${scanned}`, steps);
      reads += 1;
      if (cache.read(hot[(scanned * 7) % hot.length] ?? '', steps)) hits += 1;
    }
    expect(hits / reads).toBeGreaterThan(0.9);
  });
}

test('the order of a scan alone decides nothing for the hot set when it is read at random', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(199), { minLength: 1600, maxLength: 1600 }), (choices) => {
      const cache = cacheOf(400, 1);
      for (let index = 0; index < 200; index += 1) cache.read(`hot-${index}`);
      const hits = choices.filter((choice, scanned) => {
        cache.read(`scan-${scanned}`);
        return cache.read(`hot-${choice}`);
      });
      expect(hits.length / choices.length).toBeGreaterThan(0.9);
    }),
    { numRuns: 20 },
  );
});

test('bytes are exact through any sequence of calls, and every entry can be evicted once', () => {
  const call = fc.record({
    what: fc.constantFrom('add', 'resize', 'touch', 'remove', 'evict', 'unpark', 'spare', 'keep'),
    id: fc.nat(20).map(String),
    bytes: fc.nat(50),
  });
  fc.assert(
    fc.property(fc.array(call, { maxLength: 300 }), (calls) => {
      const policy = new S3Fifo({ capacityBytes: 200 });
      const model = new Map<string, number>();
      const evictable = (id: string): boolean => Number(id) % 5 !== 0;
      for (const { what, id, bytes } of calls) {
        if (what === 'add') model.set(id, bytes);
        if (what === 'resize' && model.has(id)) model.set(id, bytes);
        if (what === 'remove') model.delete(id);
        if (what === 'add' || what === 'resize') policy[what](id, bytes);
        else if (what === 'evict') {
          const gone = policy.evict({ evictable });
          const any = [...model.keys()].some(evictable);
          expect(gone !== undefined).toBe(any);
          if (gone !== undefined) {
            expect(evictable(gone)).toBe(true);
            expect(model.delete(gone)).toBe(true);
          }
        } else policy[what](id);
        expect(policy.bytes).toBe([...model.values()].reduce((sum, each) => sum + each, 0));
        expect(policy.size).toBe(model.size);
      }
    }),
  );
});

test('what may not go now is passed over, and goes once it may', () => {
  const policy = new S3Fifo({ capacityBytes: 10 });
  policy.add('pinned', 5);
  policy.add('other', 5);
  let pinned = true;
  const rules = { evictable: (id: string) => id !== 'pinned' || !pinned };
  expect(policy.evict(rules)).toBe('other');
  expect(policy.evict(rules)).toBeUndefined();
  pinned = false;
  policy.unpark('pinned');
  expect(policy.evict(rules)).toBe('pinned');
});

test('what is spare goes before all others, however often it was read, unless it is kept after all', () => {
  const policy = new S3Fifo({ capacityBytes: 10 });
  for (const id of ['first', 'spare', 'kept', 'last']) policy.add(id, 1);
  policy.touch('spare');
  policy.spare('spare');
  policy.spare('kept');
  policy.keep('kept');
  expect(policy.evict(ANY)).toBe('spare');
  expect(policy.evict(ANY)).toBe('first');
  expect(policy.evict(ANY)).toBe('last');
  expect(policy.evict(ANY)).toBe('kept');
  expect(policy.bytes).toBe(0);
});

test('what is spare and may not go now is passed over', () => {
  const policy = new S3Fifo({ capacityBytes: 10 });
  for (const id of ['other', 'pinned']) policy.add(id, 5);
  policy.spare('pinned');
  expect(policy.evict({ evictable: (id) => id !== 'pinned' })).toBe('other');
  policy.unpark('pinned');
  expect(policy.evict(ANY)).toBe('pinned');
});

test('what is upcoming is told about as it will go, what is spare already is not', () => {
  const policy = new S3Fifo({ capacityBytes: 100 });
  for (let index = 0; index < 10; index += 1) policy.add(`piece-${index}`, 10);
  policy.touch('piece-0');
  policy.spare('piece-3');
  const told = [...policy.upcoming()];
  expect(told).toEqual([1, 2, 4, 5, 6, 7, 8, 9, 0].map((index) => `piece-${index}`));
  expect(policy.evict(ANY)).toBe('piece-3');
  expect(policy.evict(ANY)).toBe(told[0]);
});

test('what comes back soon after it was evicted outlives newcomers', () => {
  const policy = new S3Fifo({ capacityBytes: 10 });
  policy.add('returning', 1);
  expect(policy.evict(ANY)).toBe('returning');
  policy.add('returning', 1);
  for (let index = 0; index < 9; index += 1) policy.add(`new-${index}`, 1);
  const gone = Array.from({ length: 8 }, () => policy.evict(ANY));
  expect(gone).not.toContain('returning');
});

test('a piece read once in many steps counts for less than one that was read again', () => {
  const policy = new S3Fifo({ capacityBytes: 100 });
  policy.add('in steps', 10);
  for (let step = 0; step < 8; step += 1) policy.touch('in steps');
  policy.add('again', 10);
  policy.add('other', 10);
  policy.touch('again');
  expect([policy.evict(ANY), policy.evict(ANY)]).toEqual(['in steps', 'other']);
  expect(policy.has('again')).toBe(true);
});
