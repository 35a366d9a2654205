// What a gateway that asks an origin on behalf of a mesh tells it: the answer, and which piece came with it.
import { expect, test } from 'vitest';
import { BackendError } from '../../backends/backend.ts';
import { LONELY_NAMES, type Names, type NameTicket, NO_LEASE, type Validation } from '../../src/mesh/names.ts';
import { BucketMap } from '../../src/objects/bucket-map.ts';
import { openObjectCache } from '../../src/objects/object-cache.ts';
import { CACHE_OPTIONS, drain, KIB, MIB, refOf } from '../support/cache-world.ts';
import { loneMesh } from '../support/lone-mesh.ts';
import { MemoryPieceStore } from '../support/memory-piece-store.ts';
import { SyntheticOrigin } from '../support/synthetic-origin.ts';

const NOW = { freshMs: 0, missingFreshMs: 0, staleIfErrorMs: 0 };

function openWorld() {
  const origin = new SyntheticOrigin();
  const reports: Validation[] = [];
  const events: string[] = [];
  const ticket: { -readonly [K in keyof NameTicket]: NameTicket[K] } = {
    name: { origin: 'origin', bucket: 'b', key: 'k' },
    crowded: false,
    known: undefined,
    joinableUntil: { monotonicMs: 0, wallMs: 0 },
  };
  const names: Names = {
    ...LONELY_NAMES,
    alone: false,
    open: async () => ({ kind: 'validate', ticket }),
    report: async (_, validation) => {
      reports.push(validation);
      return NO_LEASE;
    },
    begin: async (marked) => {
      events.push(`begin ${marked.map(({ key }) => key).join(' ')}`);
      return { id: 'mark', names: marked };
    },
    end: async (mark, outcome) => {
      await new Promise((resolve) => setImmediate(resolve));
      events.push(`end ${mark.names.map(({ key }) => key).join(' ')}: ${outcome}`);
    },
  };
  const store = new MemoryPieceStore({ blockSize: 64 * KIB });
  const { objects } = openObjectCache(
    {
      map: new BucketMap(new Map([['origin', origin]]), { '*': { backend: 'origin' } }),
      store,
      directory: loneMesh(store).directory,
      names,
      isCached: () => true,
      freshnessOf: () => NOW,
      failed: (_, error) => expect.fail(String(error)),
    },
    { ...CACHE_OPTIONS, pieceSize: MIB },
  );
  const read = async (start: number, end: number) =>
    drain(await objects.read(refOf('k'), { range: { start, end } }, new AbortController().signal));
  return { origin, objects, reports, events, ticket, read };
}

test('the piece whose bytes come with the answer is reported, once', async () => {
  const { origin, reports, read } = openWorld();
  const etag = 'etag-of-k';
  origin.set('k', 3 * MIB, { etag });
  await read(MIB + 5, MIB + 10);
  await read(MIB + 5, MIB + 10);
  const version = { origin: 'origin', bucket: 'b', key: 'k', etag, size: 3 * MIB, pieceSize: MIB };
  expect(reports[0]).toMatchObject({ kind: 'answered', arriving: { index: 1, version } });
  // Unchanged, and no byte came.
  expect(reports[1]).toMatchObject({
    kind: 'answered',
    answer: { kind: 'known', value: { etag } },
    arriving: undefined,
  });
});

test('where others ask the same at this moment no bytes are asked for with the answer', async () => {
  const { origin, reports, ticket, read } = openWorld();
  origin.set('k', MIB);
  ticket.crowded = true;
  await read(0, 10);
  expect(reports[0]).toMatchObject({ kind: 'answered', answer: { complete: true }, arriving: undefined });
});

test('that there is no such object is an answer; an origin that fails gives none', async () => {
  const { origin, reports, read } = openWorld();
  await expect(read(0, 10)).rejects.toMatchObject({ code: 'NoSuchKey' });
  origin.down = new BackendError('Unavailable', 'The origin is down.');
  await expect(read(0, 10)).rejects.toMatchObject({ code: 'Unavailable' });
  expect(reports).toMatchObject([{ kind: 'answered', answer: { kind: 'missing' } }, { kind: 'failed' }]);
});

test('a write is ended before it is acknowledged, and a batch of deletes is one write', async () => {
  const { objects, events } = openWorld();
  const targets = [{ key: 'k1' }, { key: 'k2' }];
  await objects.deleteMany('b', targets, new AbortController().signal).catch(() => events.push('failed'));
  events.push('acknowledged');
  expect(events.slice(0, 2)).toEqual(['begin k1 k2', 'end k1 k2: unknown']);
  expect(events.at(-1)).toBe('acknowledged');
});
