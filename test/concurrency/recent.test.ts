import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Recent } from '../../src/concurrency/recent.ts';

test('whatever was used, what was used last is there as it was set last, and never more than may be', () => {
  const uses = fc.array(fc.record({ key: fc.nat(20), sets: fc.boolean() }), { maxLength: 200 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), uses, (max, steps) => {
      const recent = new Recent<number>({ max });
      const all = new Map<number, number>();
      let used: number[] = [];
      for (const [at, { key, sets }] of steps.entries()) {
        const had = recent.get(String(key));
        if (used.slice(-Math.max(1, Math.floor(max / 2))).includes(key)) expect(had).toBe(all.get(key));
        if (had !== undefined) expect(had).toBe(all.get(key));
        if (!sets && had === undefined) continue;
        if (sets) recent.set(String(key), at);
        if (sets) all.set(key, at);
        used = [...used.filter((each) => each !== key), key];
      }
      const there = [...all.keys()].filter((key) => recent.get(String(key)) !== undefined);
      expect(there.length).toBeLessThanOrEqual(Math.max(2, max));
    }),
  );
});
