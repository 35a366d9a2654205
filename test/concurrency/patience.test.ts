// Limits that count only time which this process lived through.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { afterPatience, patienceSignal } from '../../src/concurrency/patience.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('it runs out after its time, once', () => {
  const late = vi.fn();
  afterPatience(1_000, late);
  vi.advanceTimersByTime(999);
  expect(late).not.toHaveBeenCalled();
  vi.advanceTimersByTime(5_000);
  expect(late).toHaveBeenCalledTimes(1);
});

test('it does not run out once it was ended', () => {
  const late = vi.fn();
  const end = afterPatience(1_000, late);
  vi.advanceTimersByTime(900);
  end();
  vi.advanceTimersByTime(5_000);
  expect(late).not.toHaveBeenCalled();
});

test('a signal aborts as one of AbortSignal.timeout does', () => {
  const signal = patienceSignal(200);
  expect(signal.aborted).toBe(false);
  vi.advanceTimersByTime(200);
  expect(signal.reason).toMatchObject({ name: 'TimeoutError' });
});

test('what came while the process did not run is seen before it runs out', async () => {
  vi.useRealTimers();
  const seen: string[] = [];
  const end = afterPatience(100, () => seen.push('late'));
  await new Promise((resolve) => setTimeout(resolve, 1));
  const wokeMs = performance.now() + 300;
  while (performance.now() < wokeMs);
  // Something that the event loop finds when it comes to look.
  setImmediate(() => seen.push('answer'));
  await vi.waitFor(() => expect(seen).toContain('answer'));
  end();
  expect(seen).toEqual(['answer']);
});
