// Whether backends answer is asked at start and again, and one that is silent keeps nobody waiting.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, onTestFinished, test } from 'vitest';
import { BackendChecks } from '../../src/admin/backend-checks.ts';

interface World {
  readonly checks: BackendChecks;
  readonly log: string[];
  readonly checked: [string, boolean][];
}

function watch(
  backends: Record<string, (signal: AbortSignal) => Promise<void>>,
  options = { intervalMs: 60_000, timeoutMs: 60_000 },
): World {
  const log: string[] = [];
  const checked: [string, boolean][] = [];
  const line = (_: unknown, message?: string): void => void log.push(message ?? '');
  const checks = new BackendChecks(
    {
      backends: new Map(Object.entries(backends).map(([name, check]) => [name, { check }])),
      log: { warn: line, info: line },
      now: () => new Date(0),
      onChecked: (...outcome) => void checked.push(outcome),
    },
    options,
  );
  onTestFinished(() => checks.close());
  return { checks, log, checked };
}

test('the first round tells which backends answer, and why others do not', async () => {
  const { checks, log, checked } = watch({
    good: async () => undefined,
    bad: async () => {
      throw new Error('no such host');
    },
  });
  expect(checks.firstDone).toBe(false);
  await checks.settled();
  expect(checks.firstDone).toBe(true);
  expect(checks.last('good')).toEqual({ ok: true, checkedAt: '1970-01-01T00:00:00.000Z', error: undefined });
  expect(checks.last('bad')).toMatchObject({ ok: false, error: 'no such host' });
  expect(log).toEqual(['A backend fails.']);
  expect(checked).toEqual(
    expect.arrayContaining([
      ['good', true],
      ['bad', false],
    ]),
  );
});

/** A signal that only time would abort may be collected before it is. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

test('a backend that never answers, and ignores being told to stop, is given up after the time it has', async () => {
  const { checks } = watch({ hung: () => new Promise(() => undefined) }, { intervalMs: 60_000, timeoutMs: 20 });
  await new Promise((resolve) => setImmediate(resolve));
  collectGarbage();
  await checks.settled();
  expect(checks.last('hung')).toMatchObject({ ok: false, error: 'It did not answer within 20 ms.' });
  expect(checks.firstDone).toBe(true);
});

test('a failure is logged once while it lasts, and so is its end', async () => {
  let broken = true;
  let rounds = 0;
  const check = async (): Promise<void> => {
    rounds += 1;
    if (rounds === 4) broken = false;
    if (broken) throw new Error('down');
  };
  const { log } = watch({ flaky: check }, { intervalMs: 1, timeoutMs: 60_000 });
  await expect.poll(() => rounds).toBeGreaterThan(6);
  expect(log).toEqual(['A backend fails.', 'The backend works again.']);
});

test('closing ends a check that is under way, and no other begins', async () => {
  let stopped = false;
  let calls = 0;
  const { checks, log } = watch({
    slow: (signal) =>
      new Promise((_, reject) => {
        calls += 1;
        signal.addEventListener('abort', () => {
          stopped = true;
          reject(signal.reason);
        });
      }),
  });
  await checks.close();
  expect([stopped, calls]).toEqual([true, 1]);
  expect(log).toEqual([]);
});
