// What a tracker remembers of members, and whom it forgets.
import { expect, test } from 'vitest';
import type { Member } from '../../../src/mesh/member.ts';
import { MemberBook } from '../../../src/mesh/tracker/member-book.ts';
import { TrackerWorld } from '../../support/tracker-world.ts';

const about = (id: string): Member => ({ id, role: 'peer', zone: undefined, incarnation: '1', key: '' });

test('past the limit it forgets those who have not called for longest', () => {
  const book = new MemberBook({ maxMembers: 3 });
  for (const id of ['a', 'b', 'c']) book.seen(about(id), 0).leasesDone = 1;
  book.seen(about('a'), 0);
  book.seen(about('d'), 0);
  expect(book.size).toBe(3);
  expect(['a', 'c', 'd'].map((id) => book.get(id).about?.id)).toEqual(['a', 'c', 'd']);
  expect(book.get('b').about).toBeUndefined();
});

test('naming members who do not exist has nobody forgotten who calls, and is bounded too', () => {
  const book = new MemberBook({ maxMembers: 3 });
  book.seen(about('a'), 0);
  for (let index = 0; index < 100; index += 1) book.get(`invented-${index}`);
  expect(book.size).toBe(4);
  expect(book.get('a').about?.id).toBe('a');
});

test('who was named and then calls is one member, with what was known of it', () => {
  const book = new MemberBook({ maxMembers: 3 });
  book.get('a').given = 2;
  expect(book.seen(about('a'), 0).given).toBe(2);
  expect(book.size).toBe(1);
});

test('who gives something is not forgotten meanwhile, so that its places are counted right', () => {
  const world = new TrackerWorld({ maxMembers: 4 });
  world.announce('holder', [0]);
  expect(world.askOne('reader', 0)).toMatchObject({ from: 'holder' });
  for (let index = 0; index < 20; index += 1) world.announce(`other-${index}`, [1]);
  expect(world.tracker.uploadsOf('holder')).toBe(1);
  world.announce('reader', [0]);
  expect(world.tracker.uploadsOf('holder')).toBe(0);
  for (let index = 0; index < 20; index += 1) world.announce(`other-${index}`, [2]);
  expect(world.tracker.uploadsOf('holder')).toBe(0);
});
