import { expect, test } from 'vitest';
import { loopTurn } from '../../src/concurrency/loop-turn.ts';

test('each who waits gets a turn of the loop to himself, in the order in which they came', async () => {
  let turn = 0;
  let counting = setImmediate(function next() {
    turn += 1;
    counting = setImmediate(next);
  });
  const got: [who: number, turn: number][] = [];
  const work = async (who: number) => {
    for (let time = 0; time < 3; time += 1) {
      await loopTurn();
      got.push([who, turn]);
    }
  };
  await Promise.all([work(0), work(1), work(2)]);
  clearImmediate(counting);
  expect(got.map(([who]) => who)).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2]);
  expect(new Set(got.map(([, at]) => at)).size).toBe(got.length);
});
