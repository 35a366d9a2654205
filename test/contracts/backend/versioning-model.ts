// Any order of writes, deletes, removals of versions and switches, against a model of a few lines.
import fc from 'fast-check';
import { expect } from 'vitest';
import { BackendError } from '../../../backends/backend.ts';
import type { ContractPromise } from '../backend.ts';
import { VersionedBucket } from './versioning.ts';

interface ModelVersion {
  readonly id: string;
  /** Undefined: a delete marker. */
  readonly bytes: string | undefined;
}

type Step =
  | { readonly act: 'put' | 'delete'; readonly key: string }
  | { readonly act: 'remove'; readonly key: string; readonly which: number }
  | { readonly act: 'set'; readonly status: 'Enabled' | 'Suspended' };

const KEYS = ['a', 'a/b', 'c'];

const step = fc.oneof<fc.Arbitrary<Step>[]>(
  fc.record({ act: fc.constant('put'), key: fc.constantFrom(...KEYS) }),
  fc.record({ act: fc.constant('delete'), key: fc.constantFrom(...KEYS) }),
  fc.record({ act: fc.constant('remove'), key: fc.constantFrom(...KEYS), which: fc.nat(5) }),
  fc.record({ act: fc.constant('set'), status: fc.constantFrom('Enabled', 'Suspended') }),
);

/** The versions of each key, newest first. */
class Model {
  readonly #versions = new Map<string, ModelVersion[]>();

  of(key: string): ModelVersion[] {
    return this.#versions.get(key) ?? [];
  }

  add(key: string, version: ModelVersion): void {
    const others = this.of(key).filter(({ id }) => id !== version.id);
    this.#versions.set(key, [version, ...others]);
  }

  remove(key: string, id: string): void {
    this.#versions.set(
      key,
      this.of(key).filter((version) => version.id !== id),
    );
  }
}

async function take(versioned: VersionedBucket, model: Model, next: Step, serial: number): Promise<void> {
  switch (next.act) {
    case 'put': {
      const bytes = `${serial} `.repeat(serial + 1);
      const { versionId = 'null' } = await versioned.put(bytes, next.key);
      model.add(next.key, { id: versionId, bytes });
      return;
    }
    case 'delete': {
      const { versionId, deleteMarker } = await versioned.delete(undefined, next.key);
      if (deleteMarker === true) model.add(next.key, { id: versionId ?? 'null', bytes: undefined });
      else model.remove(next.key, 'null');
      return;
    }
    case 'remove': {
      const id = model.of(next.key)[next.which]?.id ?? 'null';
      await versioned.delete(id, next.key);
      model.remove(next.key, id);
      return;
    }
    case 'set':
      await versioned.switch(next.status);
  }
}

async function agree(versioned: VersionedBucket, model: Model): Promise<void> {
  const { world } = versioned;
  const { versions } = await versioned.list({});
  for (const key of KEYS) {
    const expected = model.of(key);
    const listed = versions.filter((version) => version.key === key);
    for (const isMarker of [false, true]) {
      // In which order versions and markers of one second came, not every origin tells.
      const of = listed.filter((version) => 'deleteMarker' in version === isMarker);
      const alike = expected.filter(({ bytes }) => (bytes === undefined) === isMarker);
      expect(of.map((version) => version.versionId)).toEqual(alike.map(({ id }) => id));
    }
    expect(listed.map((version) => version.isLatest)).toEqual(expected.map((_, index) => index === 0));
    expect(await current(versioned, key)).toBe(expected[0]?.bytes);
    for (const { id, bytes } of expected) if (bytes !== undefined) expect(await versioned.read(id, key)).toBe(bytes);
  }
  const { objects } = await world.backend.list(versioned.bucket, { maxEntries: 10 }, world.signal);
  expect(objects.map(({ key }) => key)).toEqual(KEYS.filter((key) => model.of(key)[0]?.bytes !== undefined));
}

async function current(versioned: VersionedBucket, key: string): Promise<string | undefined> {
  try {
    return await versioned.read(undefined, key);
  } catch (error) {
    if (error instanceof BackendError && error.code === 'NoSuchKey') return undefined;
    throw error;
  }
}

export const versioningModelPromises: Record<string, ContractPromise> = {
  'any order of writes, deletes and removals leaves the versions that a model has': async (world) => {
    world.needs(world.versioning.set !== undefined, 'a switch for versions');
    const property = fc.asyncProperty(
      fc.array(step, { minLength: 3, maxLength: 14 }),
      fc.boolean(),
      async (steps, on) => {
        const versioned = await VersionedBucket.make(world, on ? 'Enabled' : 'off');
        const model = new Model();
        for (const [serial, next] of steps.entries()) await take(versioned, model, next, serial);
        // Ids of versions are told once a bucket has them.
        await versioned.switch('Enabled');
        await agree(versioned, model);
      },
    );
    // A case is a dozen writes and as many reads: of servers that are asked less, fewer.
    await fc.assert(property, { numRuns: world.runs < 20 ? Math.ceil(world.runs / 4) : world.runs });
  },
};
