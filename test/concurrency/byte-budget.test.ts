import { expect, test } from 'vitest';
import { ByteBudget } from '../../src/concurrency/byte-budget.ts';

const never = new AbortController().signal;

test('bytes beyond the budget wait until others are released', async () => {
  const budget = new ByteBudget({ limitBytes: 100 });
  const release = await budget.take(80, 'demand', never);
  const order: string[] = [];
  const waiting = budget.take(40, 'demand', never).then(() => order.push('granted'));
  await Promise.resolve();
  expect(order).toEqual([]);
  release();
  await waiting;
  expect(budget.usedBytes).toBe(40);
});

test('demand is served before read-ahead that asked earlier', async () => {
  const budget = new ByteBudget({ limitBytes: 100 });
  const release = await budget.take(100, 'demand', never);
  const order: string[] = [];
  const ahead = budget.take(60, 'ahead', never).then((done) => {
    order.push('ahead');
    done();
  });
  const demand = budget.take(60, 'demand', never).then((done) => {
    order.push('demand');
    done();
  });
  release();
  await Promise.all([ahead, demand]);
  expect(order).toEqual(['demand', 'ahead']);
});

test('one who leaves while waiting takes nothing and lets the next one pass', async () => {
  const budget = new ByteBudget({ limitBytes: 100 });
  const release = await budget.take(60, 'demand', never);
  const leaving = new AbortController();
  const big = budget.take(90, 'demand', leaving.signal);
  const small = budget.take(30, 'demand', never);
  leaving.abort(new Error('gone'));
  await expect(big).rejects.toThrow('gone');
  await small;
  release();
  expect(budget.usedBytes).toBe(30);
});

test('more than the whole budget is granted alone', async () => {
  const budget = new ByteBudget({ limitBytes: 10 });
  const release = await budget.take(1000, 'demand', never);
  expect(budget.tryTake(1)).toBeUndefined();
  release();
  release();
  expect(budget.usedBytes).toBe(0);
  expect(budget.tryTake(1)).toBeDefined();
});
