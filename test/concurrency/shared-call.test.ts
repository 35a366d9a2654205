import { expect, test } from 'vitest';
import { SharedCall } from '../../src/concurrency/shared-call.ts';

test('the work is aborted only when the last caller leaves', async () => {
  let seen: AbortSignal | undefined;
  const call = new SharedCall<string>((signal) => {
    seen = signal;
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  });
  const [first, second] = [new AbortController(), new AbortController()];
  const waits = [call.join(first.signal), call.join(second.signal)];
  await Promise.resolve();
  first.abort(new Error('first left'));
  await expect(waits[0]).rejects.toThrow('first left');
  expect(seen?.aborted).toBe(false);
  expect(call.joinable).toBe(true);
  second.abort(new Error('second left'));
  await expect(waits[1]).rejects.toThrow('second left');
  expect(seen?.aborted).toBe(true);
  expect(call.joinable).toBe(false);
});

test('everybody gets the one result, and later callers begin anew', async () => {
  let calls = 0;
  const call = new SharedCall(async () => {
    calls += 1;
    return calls;
  });
  const never = new AbortController().signal;
  expect(await Promise.all([call.join(never), call.join(never)])).toEqual([1, 1]);
  expect(call.joinable).toBe(false);
  expect(calls).toBe(1);
});
