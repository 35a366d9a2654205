import { expect, test } from 'vitest';
import { loopTurn, turnEnd } from '../../src/concurrency/loop-turn.ts';

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

test('what is answered at the end of a turn goes before who waits for a turn, and in the order in which it came', async () => {
  const order: string[] = [];
  const work = [
    loopTurn().then(() => order.push('a slice')),
    turnEnd().then(() => order.push('an answer')),
    loopTurn().then(() => order.push('another slice')),
    turnEnd().then(() => order.push('another answer')),
  ];
  order.push('all that came');
  await Promise.all(work);
  expect(order).toEqual(['all that came', 'an answer', 'another answer', 'a slice', 'another slice']);
});

test('of a turn in which much comes, the first are answered before the last are looked at', async () => {
  const answered: number[] = [];
  const work: Promise<unknown>[] = [];
  for (let request = 0; request < 100; request += 1) {
    work.push(turnEnd().then(() => answered.push(request)));
    // As between two sockets that the loop reads.
    await Promise.resolve();
    expect(request - answered.length).toBeLessThan(16);
  }
  await Promise.all(work);
  expect(answered).toEqual([...answered.keys()]);
});
