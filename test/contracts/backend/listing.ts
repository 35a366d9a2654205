// Listings against a model: order of UTF-8 bytes, prefixes, delimiters, start-after and paging.
import fc from 'fast-check';
import { expect } from 'vitest';
import type { ListOptions } from '../../../backends/backend.ts';
import { md5 } from '../../support/upload-body.ts';
import type { ContractPromise } from '../backend.ts';
import { byBytes, rejection, type World } from './world.ts';

interface Listed {
  readonly keys: string[];
  readonly prefixes: string[];
}

export const listingPromises: Record<string, ContractPromise> = {
  'a listing is in the order of UTF-8 bytes and tells what heads tell': async (world) => {
    needsList(world);
    const corner = world.corner();
    const names = ['foo+1/x', 'foo/x', 'foo', 'a.b', 'a/b', 'a', '\uFF5E', '\u{1F600}', 'é', 'Z'];
    const keys = names.map((name) => corner + name).filter((key) => world.accepts(key));
    for (const key of keys) await world.store({ bucket: world.bucket, key }, Buffer.from(key));
    const page = await world.backend.list(world.bucket, { prefix: corner, maxEntries: 1000 }, world.signal);
    expect(page.objects.map((object) => object.key)).toEqual(keys.toSorted(byBytes));
    expect(page.nextToken).toBeUndefined();
    for (const object of page.objects) {
      const { info } = await world.backend.head({ bucket: world.bucket, key: object.key }, {}, world.signal);
      expect(object).toMatchObject({ sizeBytes: info.sizeBytes, etag: info.etag });
      expect(Math.abs(object.lastModified.getTime() - info.lastModified.getTime())).toBeLessThan(1000);
      if (world.capabilities.etag === 'md5') expect(object.etag).toBe(md5(Buffer.from(object.key)).toString('hex'));
    }
  },

  'an empty prefix of the bucket lists nothing and has no next page': async (world) => {
    needsList(world);
    const page = await world.backend.list(world.bucket, { prefix: world.corner(), maxEntries: 10 }, world.signal);
    expect(page).toMatchObject({ objects: [], prefixes: [] });
    expect(page.nextToken).toBeUndefined();
  },

  'a token that the backend never gave is InvalidArgument': async (world) => {
    needsList(world);
    const listing = world.backend.list(world.bucket, { token: '\u0001not a token', maxEntries: 10 }, world.signal);
    await rejection(listing, 'InvalidArgument');
  },

  'a listing sees a write and a delete that came before it': async (world) => {
    needsList(world);
    const { delete: remove } = world.canWrite;
    const corner = world.corner();
    const ref = { bucket: world.bucket, key: `${corner}x` };
    for (let round = 0; round < 3; round += 1) {
      await world.put(ref, Buffer.from(`${round}`));
      expect((await pages(world, { prefix: corner, maxEntries: 5 })).keys).toEqual([ref.key]);
      await remove(ref, {}, world.signal);
      expect((await pages(world, { prefix: corner, maxEntries: 5 })).keys).toEqual([]);
    }
  },

  'an object deleted between two pages does not hide the others': async (world) => {
    needsList(world);
    const { delete: remove } = world.canWrite;
    const corner = world.corner();
    const keys = ['a', 'b', 'c', 'd'].map((name) => corner + name);
    for (const key of keys) await world.put({ bucket: world.bucket, key }, Buffer.from('x'));
    const first = await world.backend.list(world.bucket, { prefix: corner, maxEntries: 2 }, world.signal);
    await remove({ bucket: world.bucket, key: `${corner}b` }, {}, world.signal);
    const rest = { prefix: corner, maxEntries: 2, token: first.nextToken };
    const second = await world.backend.list(world.bucket, rest, world.signal);
    expect(second.objects.map((object) => object.key)).toEqual([`${corner}c`, `${corner}d`]);
  },

  'paging through random keys by any prefix, delimiter and start agrees with the model': async (world) => {
    needsList(world);
    await fc.assert(
      fc.asyncProperty(keySets, fc.array(queries, { minLength: 4, maxLength: 4 }), async (names, asked) => {
        const corner = world.corner();
        const keys = [...new Set(names.map((name) => corner + name))].filter((key) => world.accepts(key));
        for (const key of keys) await world.store({ bucket: world.bucket, key }, Buffer.alloc(0));
        for (const query of asked) {
          const options = within(corner, query, world);
          expect(await pages(world, options), JSON.stringify(options)).toEqual(model(keys, options));
        }
      }),
      { numRuns: world.runs },
    );
  },
};

const names = fc
  .array(fc.constantFrom('a', 'b', '/', '/', '.', '+', '-', 'é', '\uFF5E', '\u{1F600}', '\u0001'), {
    minLength: 1,
    maxLength: 5,
  })
  .map((units) => units.join(''));
const keySets = fc.array(names, { minLength: 1, maxLength: 14 });
const queries = fc.record({
  prefix: fc.oneof(fc.constant(''), fc.constantFrom('a', 'a/', 'b', '/', 'é')),
  delimiter: fc.constantFrom(undefined, '/', '/', 'b', 'a/', '\u{1F600}'),
  startAfter: fc.oneof(fc.constant(undefined), names, fc.constantFrom('a/', 'b/', 'a//', '/')),
  maxEntries: fc.integer({ min: 1, max: 6 }),
});

function within(corner: string, query: typeof queries extends fc.Arbitrary<infer T> ? T : never, world: World) {
  const onlySlash = world.capabilities.list === 'slash-only';
  return {
    prefix: corner + query.prefix,
    delimiter: onlySlash && query.delimiter !== undefined ? '/' : query.delimiter,
    startAfter: query.startAfter === undefined ? undefined : corner + query.startAfter,
    maxEntries: query.maxEntries,
  };
}

async function pages(world: World, options: ListOptions): Promise<Listed> {
  const found: Listed = { keys: [], prefixes: [] };
  let token: string | undefined;
  do {
    const page = await world.backend.list(world.bucket, { ...options, token }, world.signal);
    const entries = page.objects.length + page.prefixes.length;
    expect(entries).toBeLessThanOrEqual(options.maxEntries);
    if (page.nextToken !== undefined) expect(entries).toBeGreaterThan(0);
    found.keys.push(...page.objects.map((object) => object.key));
    found.prefixes.push(...page.prefixes);
    token = page.nextToken;
  } while (token !== undefined);
  return found;
}

function model(keys: readonly string[], options: ListOptions): Listed {
  const { prefix = '', delimiter, startAfter } = options;
  const found: Listed = { keys: [], prefixes: [] };
  for (const key of keys.toSorted(byBytes)) {
    if (!key.startsWith(prefix)) continue;
    if (startAfter !== undefined && byBytes(key, startAfter) <= 0) continue;
    const cut = delimiter === undefined ? -1 : key.indexOf(delimiter, prefix.length);
    if (cut === -1) {
      found.keys.push(key);
      continue;
    }
    const common = key.slice(0, cut + (delimiter ?? '').length);
    if (common !== startAfter && found.prefixes.at(-1) !== common) found.prefixes.push(common);
  }
  return found;
}

function needsList(world: World): void {
  world.needs(world.capabilities.list !== 'none', 'listings');
}
