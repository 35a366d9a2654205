// Locks of the fs backend.
import { expect, test } from 'vitest';
import { Locks } from '../../backends/fs/locks.ts';

function gate(): { opened: Promise<void>; open: () => void } {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

test('one that is alone waits for those who share, and those who come later wait for it', async () => {
  const locks = new Locks();
  const order: string[] = [];
  const [first, second] = [gate(), gate()];
  const running = [
    locks.shared('x', () => first.opened.then(() => order.push('shared 1'))),
    locks.shared('x', () => second.opened.then(() => order.push('shared 2'))),
    locks.alone('x', async () => order.push('alone')),
    locks.shared('x', async () => order.push('shared 3')),
    locks.shared('y', async () => order.push('another name')),
  ];
  await running.at(-1);
  second.open();
  await running[1];
  first.open();
  await Promise.all(running);
  expect(order).toEqual(['another name', 'shared 2', 'shared 1', 'alone', 'shared 3']);
});

test('a failure lets the next one in', async () => {
  const locks = new Locks();
  const failure = new Error('failed');
  const failing = locks.alone('x', () => Promise.reject(failure));
  const next = locks.alone('x', async () => 'next');
  await expect(failing).rejects.toBe(failure);
  expect(await next).toBe('next');
});

test('one who gives up waiting lets those behind pass', async () => {
  const locks = new Locks();
  const { opened, open } = gate();
  const controller = new AbortController();
  const reason = new Error('gone');
  const holding = locks.shared('x', () => opened);
  const waiting = locks.alone('x', async () => 'never', controller.signal);
  const behind = locks.shared('x', async () => 'behind');
  controller.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  expect(await behind).toBe('behind');
  open();
  await holding;
});
