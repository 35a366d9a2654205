// What one part of a gateway finds out of another gateway, all of its parts know.
import { expect, test } from 'vitest';
import { notingClient } from '../../src/mesh/noting-client.ts';
import { OwnerCalls } from '../../src/mesh/owner-calls.ts';
import { type MeshClient, MeshError } from '../../src/mesh/transport.ts';

const signal = new AbortController().signal;

test('who did not answer one is asked last by all, until it answers', async () => {
  const calls = new OwnerCalls({ now: () => 0 }, { downMs: 1 });
  let problem: MeshError | undefined = new MeshError('Unreachable', 'It did not answer in time.');
  const answer = async () => {
    if (problem !== undefined) throw problem;
    return (async function* () {})();
  };
  const client: Pick<MeshClient, 'ask' | 'lines'> = { ask: answer, lines: answer };
  const noting = notingClient(client, calls);
  await expect(noting.lines('a', 'name-open', {}, signal)).rejects.toBe(problem);
  expect(calls.inOrder(['a', 'b'])).toEqual(['b', 'a']);
  problem = undefined;
  await noting.ask('a', 'name-touch', {}, signal);
  expect(calls.inOrder(['a', 'b'])).toEqual(['a', 'b']);
  problem = new MeshError('Busy', 'It has no room now.');
  await expect(noting.ask('a', 'name-touch', {}, signal)).rejects.toBe(problem);
  expect(calls.isDown('a')).toBe(false);
});
