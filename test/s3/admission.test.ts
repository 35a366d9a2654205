import { expect, test } from 'vitest';
import { Admission } from '../../src/s3/admission.ts';

function admission(maxRequests: number, maxRequestsPerKey: number): { admission: Admission; refused: string[] } {
  const refused: string[] = [];
  const onRefused = (limit: string): void => void refused.push(limit);
  return { admission: new Admission({ maxRequests, maxRequestsPerKey, onRefused }), refused };
}

test('as many requests as the limit allows are in flight, and room is made when one leaves', () => {
  const { admission: door, refused } = admission(2, 9);
  const leave = door.enter();
  expect(door.enter()).toBeDefined();
  expect(door.enter()).toBeUndefined();
  expect(refused).toEqual(['requests']);
  leave?.();
  expect(door.inFlight).toBe(1);
  expect(door.enter()).toBeDefined();
});

test('leaving twice makes room once', () => {
  const { admission: door } = admission(2, 9);
  const leave = door.enter();
  door.enter();
  leave?.();
  leave?.();
  expect(door.inFlight).toBe(1);
});

test('one key at its limit takes no room from another', () => {
  const { admission: door, refused } = admission(9, 1);
  const leave = door.enterKey('a');
  expect(door.enterKey('a')).toBeUndefined();
  expect(door.enterKey('b')).toBeDefined();
  leave?.();
  leave?.();
  expect(door.enterKey('a')).toBeDefined();
  expect(door.enterKey('a')).toBeUndefined();
  expect(refused).toEqual(['requestsPerKey', 'requestsPerKey']);
});
