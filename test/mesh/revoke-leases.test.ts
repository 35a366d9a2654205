// What is left of the leases on a name once those who had them were told.
import { expect, test } from 'vitest';
import { grantLease, leasedUntilMs, openName } from '../../src/mesh/names/owned-name.ts';
import { revokeLeases } from '../../src/mesh/names/revoke-leases.ts';
import { FakeClock } from '../support/fake-clock.ts';

const HOLDER = { id: 'a:1', incarnation: 'first' };
const WRITER = { id: 'w:1', incarnation: 'first' };

test('a lease granted while its holder was told of the end of an earlier one stays, though it is shorter', async () => {
  const clock = new FakeClock();
  const name = openName('k', 0, 0);
  grantLease(name, HOLDER, 3_000, clock.now());
  let answer: () => void = () => undefined;
  const told = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const revoked = revokeLeases({ clock, revoke: () => told }, [name], WRITER);
  await clock.advance(100);
  // The end of a write whose mark has lapsed: others ask, and believe again, before it is done.
  grantLease(name, HOLDER, 1_000, clock.now());
  answer();
  await clock.run(revoked);
  expect(leasedUntilMs(name)).toBeGreaterThanOrEqual(clock.now() + 1_000);
});
