// Which gateways a preheat goes to.
import { expect, test } from 'vitest';
import { type PreheatAim, preheatTargets } from '../../src/admin/preheat-targets.ts';

type Member = Parameters<typeof preheatTargets>[0][number];

const member = (id: string, role: Member['role'], zone: string | undefined, answers = true): Member => ({
  id,
  role,
  zone,
  answers,
});
const MEMBERS = [
  member('self', 'tracker', 'a'),
  member('peer', 'peer', 'b'),
  member('seed', 'seed', 'b'),
  member('silent', 'seed', 'a', false),
  member('tracker', 'tracker', 'b'),
];

test.each<[string, PreheatAim, string[]]>([
  ['seeds, when nothing else is said', { all: false }, ['seed']],
  ['so many, seeds first and peers last', { all: false, to: 3 }, ['seed', 'self', 'tracker']],
  ['all that answer', { all: true }, ['seed', 'self', 'tracker', 'peer']],
  ['a zone', { all: false, zone: 'b' }, ['seed', 'tracker', 'peer']],
  ['so many of a zone', { all: false, zone: 'b', to: 1 }, ['seed']],
  ['no more than there are', { all: false, to: 100 }, ['seed', 'self', 'tracker', 'peer']],
])('%s', (_, aim, expected) => {
  expect(preheatTargets(MEMBERS, aim).map(({ id }) => id)).toEqual(expected);
});

test('the gateway that was asked, where there is no seed', () => {
  const members = MEMBERS.filter(({ role }) => role !== 'seed');
  expect(preheatTargets(members, { all: false }).map(({ id }) => id)).toEqual(['self']);
});

test('a zone without a gateway that answers is refused, with those there are', () => {
  expect(() => preheatTargets(MEMBERS, { all: false, zone: 'c' })).toThrow(
    "No gateway in zone 'c' answers; those that answer are in a, b.",
  );
});
