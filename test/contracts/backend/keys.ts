// Keys of every shape: each is an object of its own, is listed under exactly its name, and goes without a trace.
import fc from 'fast-check';
import { expect } from 'vitest';
import type { ContractPromise } from '../backend.ts';
import { byBytes, rejection, type World } from './world.ts';

const ODD_NAMES = [
  'a',
  'a/',
  'a/b',
  'a//b',
  'a/b/',
  '/leading',
  '//',
  '.',
  '..',
  '../outside',
  'x/../y',
  './here',
  'trailing.',
  'trailing ',
  ' leading',
  'dir./file',
  'a%2Fb',
  '%',
  '%%',
  'per%cent',
  'plus+sign',
  'amp&<>"\'',
  'back\\slash',
  'q?x=1#y',
  'tab\there',
  'line\nbreak',
  'del\u007f',
  'unit\u001f',
  'é',
  'e\u0301',
  '\uFFFD',
  '\u{1F600}',
  '日本語/ファイル',
  'UPPER',
  'upper',
  'con',
  '.dfstore',
  '.hidden/file',
  '~',
  'a;b=c',
  'a*b',
];

export const keyPromises: Record<string, ContractPromise> = {
  'keys of every shape are objects of their own': async (world) => {
    const corner = world.corner();
    const keys = ODD_NAMES.map((name) => corner + name).filter((key) => world.accepts(key));
    for (const key of keys) await world.store({ bucket: world.bucket, key }, Buffer.from(`bytes of ${key}`));
    for (const key of keys) {
      expect((await world.bytesOf({ bucket: world.bucket, key })).toString()).toBe(`bytes of ${key}`);
      expect((await world.backend.head({ bucket: world.bucket, key }, {}, world.signal)).info.key).toBe(key);
    }
    if (world.capabilities.list !== 'none') expect(await listed(world, corner)).toEqual(keys.toSorted(byBytes));
  },

  'any key round-trips and is gone when it is deleted': async (world) => {
    const { delete: remove } = world.canWrite;
    const corner = world.corner();
    await fc.assert(
      fc.asyncProperty(anyName(), async (name) => {
        const ref = { bucket: world.bucket, key: corner + name };
        fc.pre(world.accepts(ref.key));
        const bytes = Buffer.from(name);
        await world.put(ref, bytes);
        expect((await world.bytesOf(ref)).equals(bytes)).toBe(true);
        expect(await listed(world, corner)).toEqual([ref.key]);
        await remove(ref, {}, world.signal);
        expect(await world.exists(ref)).toBe(false);
        expect(await listed(world, corner)).toEqual([]);
      }),
      { numRuns: world.runs },
    );
  },

  'a key as long as the origin takes is an object, one byte more is KeyTooLong': async (world) => {
    const limit = world.capabilities.keyMaxBytes;
    world.needs(Number.isFinite(limit) && limit <= 65_536, 'a limit on the length of keys');
    const corner = world.corner();
    const longest = { bucket: world.bucket, key: corner + 'k'.repeat(limit - corner.length) };
    world.needs(world.accepts(longest.key), 'one segment as long as that');
    await world.store(longest, Buffer.from('long'));
    expect((await world.bytesOf(longest)).toString()).toBe('long');
    if (world.capabilities.list !== 'none') expect(await listed(world, corner)).toEqual([longest.key]);
    world.needs(world.capabilities.writable, 'writes');
    await rejection(world.put({ ...longest, key: `${longest.key}k` }, Buffer.from('too long')), 'KeyTooLong');
  },

  'a key holding a NUL or half a surrogate pair is refused and nothing is stored': async (world) => {
    world.needs(world.capabilities.writable, 'writes');
    const corner = world.corner();
    for (const name of ['a\0b', '\ud800', 'x\udc00y']) {
      await rejection(world.put({ bucket: world.bucket, key: corner + name }, Buffer.from('x')), 'InvalidArgument');
    }
    expect(await listed(world, corner)).toEqual([]);
  },
};

function anyName(): fc.Arbitrary<string> {
  const piece = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('/', '.', '..', '%', 'a', 'B', ' ', '+', '\\', '\u0001') },
    { weight: 2, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 4 }) },
    { weight: 1, arbitrary: fc.constantFrom('x'.repeat(300), '\u{1F600}'.repeat(80)) },
  );
  return fc
    .array(piece, { minLength: 1, maxLength: 8 })
    .map((pieces) => pieces.join(''))
    .filter((name) => !name.includes('\0'));
}

async function listed(world: World, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  let token: string | undefined;
  do {
    const page = await world.backend.list(world.bucket, { prefix, token, maxEntries: 1000 }, world.signal);
    keys.push(...page.objects.map((object) => object.key));
    token = page.nextToken;
  } while (token !== undefined);
  return keys;
}
