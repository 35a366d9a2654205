import { expect, test } from 'vitest';
import { CloseStack } from '../../src/concurrency/close-stack.ts';

test('what was opened last is closed first, each after the one before, and once however often close is called', async () => {
  const closed: string[] = [];
  const stack = new CloseStack();
  for (const name of ['first', 'second', 'third']) {
    stack.push(name, async () => {
      closed.push(`${name} begins`);
      await Promise.resolve();
      closed.push(`${name} ends`);
    });
  }
  await Promise.all([stack.close(), stack.close()]);
  await stack.close();
  expect(closed).toEqual(['third', 'second', 'first'].flatMap((name) => [`${name} begins`, `${name} ends`]));
});

test('one that fails keeps no other open, and is named', async () => {
  const closed: string[] = [];
  const stack = new CloseStack();
  stack.push('first', () => closed.push('first'));
  stack.push('second', () => {
    throw new Error('stuck');
  });
  await expect(stack.close()).rejects.toThrow("Closing 'second' failed.");
  expect(closed).toEqual(['first']);
});

test('nothing can be opened once closing has begun', async () => {
  const stack = new CloseStack();
  await stack.close();
  expect(() => stack.push('late', () => undefined)).toThrow("'late' was opened while everything is being closed.");
});
