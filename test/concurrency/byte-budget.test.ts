import { expect, test } from 'vitest';
import { ByteBudget } from '../../src/concurrency/byte-budget.ts';
import { Haste, type Urgency } from '../../src/concurrency/haste.ts';

const never = new AbortController().signal;
const DEMAND = { urgency: 'demand' } as const;
const AHEAD = { urgency: 'ahead' } as const;

test('bytes beyond the budget wait until others are released', async () => {
  const budget = new ByteBudget({ limitBytes: 100 });
  const release = await budget.take(80, DEMAND, never);
  const order: string[] = [];
  const waiting = budget.take(40, DEMAND, never).then(() => order.push('granted'));
  await Promise.resolve();
  expect(order).toEqual([]);
  release();
  await waiting;
  expect(budget.usedBytes).toBe(40);
});

test('demand is served before read-ahead that asked earlier', async () => {
  const budget = new ByteBudget({ limitBytes: 100 });
  const release = await budget.take(100, DEMAND, never);
  const order: string[] = [];
  const ahead = budget.take(60, AHEAD, never).then((done) => {
    order.push('ahead');
    done();
  });
  const demand = budget.take(60, DEMAND, never).then((done) => {
    order.push('demand');
    done();
  });
  release();
  await Promise.all([ahead, demand]);
  expect(order).toEqual(['demand', 'ahead']);
});

test('one who leaves while waiting takes nothing and lets the next one pass', async () => {
  const budget = new ByteBudget({ limitBytes: 100 });
  const release = await budget.take(60, DEMAND, never);
  const leaving = new AbortController();
  const big = budget.take(90, DEMAND, leaving.signal);
  const small = budget.take(30, DEMAND, never);
  leaving.abort(new Error('gone'));
  await expect(big).rejects.toThrow('gone');
  await small;
  release();
  expect(budget.usedBytes).toBe(30);
});

test('more than the whole budget is granted alone', async () => {
  const budget = new ByteBudget({ limitBytes: 10 });
  const release = await budget.take(1000, DEMAND, never);
  expect(budget.tryTake(1)).toBeUndefined();
  release();
  release();
  expect(budget.usedBytes).toBe(0);
  expect(budget.tryTake(1)).toBeDefined();
});

test('what is fetched for nobody yet goes last, until somebody waits for it', async () => {
  const budget = new ByteBudget({ limitBytes: 100 });
  const release = await budget.take(100, DEMAND, never);
  const order: string[] = [];
  const take = async (name: string, haste: { readonly urgency: Urgency }) => {
    const done = await budget.take(60, haste, never);
    order.push(name);
    done();
  };
  const joined = new Haste('preheat');
  const all = [
    take('preheat', new Haste('preheat')),
    take('joined', joined),
    take('ahead', AHEAD),
    take('demand', DEMAND),
  ];
  joined.hurry('demand');
  joined.hurry('ahead');
  release();
  await Promise.all(all);
  expect(order).toEqual(['joined', 'demand', 'ahead', 'preheat']);
});

test('who waits for one thing that brings another waits for both', () => {
  const [piece, question] = [new Haste('ahead'), new Haste('preheat')];
  piece.carry(question);
  expect(question.urgency).toBe('ahead');
  piece.hurry('demand');
  expect(question.urgency).toBe('demand');
});
