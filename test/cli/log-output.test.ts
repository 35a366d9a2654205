// How log lines tell the time.
import { expect, test } from 'vitest';
import { timeField } from '../../src/cli/log-output.ts';

test('each line has its own millisecond, whichever second it is in', () => {
  const instants = [0, 7, 999, 1000, 1_797_724_805_042, 1_797_724_805_999, 1_797_724_806_000, 1_797_724_805_050];
  let now = 0;
  const time = timeField(() => now);
  for (const instant of instants) {
    now = instant;
    expect(time()).toBe(`,"time":"${new Date(instant).toISOString()}"`);
  }
});
