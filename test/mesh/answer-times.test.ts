// How patient a gateway is with others, by how long answers take lately.
import { expect, test } from 'vitest';
import { AnswerTimes } from '../../src/mesh/transport/answer-times.ts';

function after(...answersMs: readonly number[]): AnswerTimes {
  const times = new AnswerTimes();
  for (const ms of answersMs) times.note(ms);
  return times;
}

const many = (ms: number) => Array<number>(50).fill(ms);

test('where answers come at once the limit is what it was set to, with one slow answer too', () => {
  expect(after().patience(800)).toBe(800);
  expect(after(...many(2), 700, ...many(2)).patience(800)).toBe(800);
});

test('where all answers are slow nobody is given up for being as slow as the others', () => {
  expect(after(...many(600)).patience(800)).toBeGreaterThan(1_000);
  const uneven = after(...Array.from({ length: 50 }, (_, at) => (at % 2 === 0 ? 100 : 700)));
  expect(uneven.patience(800)).toBeGreaterThan(2_000);
});

test('the limit is at most five times as long, and is itself again when answers are quick again', () => {
  expect(after(...many(60_000)).patience(800)).toBe(4_000);
  expect(after(...many(60_000), ...many(2), ...many(2)).patience(800)).toBe(800);
});
