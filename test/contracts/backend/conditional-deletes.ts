// Deletes that remove an object only while it is as they name it.
import { expect } from 'vitest';
import type { DeleteConditions } from '../../../backends/backend.ts';
import type { ContractPromise } from '../backend.ts';
import { rejection, type World } from './world.ts';

function needsConditions(world: World): void {
  world.needs((world.capabilities.deleteIf ?? 'none') !== 'none', 'deletes on conditions');
}

export const conditionalDeletePromises: Record<string, ContractPromise> = {
  'a delete whose conditions hold deletes': async (world) => {
    needsConditions(world);
    const ref = world.ref();
    const bytes = Buffer.from('bytes');
    const { etag } = await world.put(ref, bytes);
    const { lastModified } = (await world.backend.head(ref, {}, world.signal)).info;
    const asClientsKnowIt = new Date(Math.floor(lastModified.getTime() / 1000) * 1000);
    const all = { ifMatch: etag, lastModified: asClientsKnowIt, sizeBytes: bytes.length };
    for (const conditions of [{ ifMatch: '*' }, { ifMatch: etag }, { sizeBytes: bytes.length }, all]) {
      await world.put(ref, bytes);
      const ofNow = (await world.backend.head(ref, {}, world.signal)).info.lastModified;
      const named = 'lastModified' in conditions ? { ...conditions, lastModified: ofNow } : conditions;
      await world.canWrite.delete(ref, { conditions: named }, world.signal);
      expect(await world.exists(ref), JSON.stringify(conditions)).toBe(false);
    }
  },

  'a delete one of whose conditions fails deletes nothing': async (world) => {
    needsConditions(world);
    const ref = world.ref();
    const { etag } = await world.put(ref, Buffer.from('bytes'));
    const failing: DeleteConditions[] = [
      { ifMatch: 'another' },
      { sizeBytes: 6 },
      { lastModified: new Date('2001-02-03T04:05:06Z') },
      { ifMatch: etag, sizeBytes: 4 },
    ];
    for (const conditions of failing) {
      await rejection(world.canWrite.delete(ref, { conditions }, world.signal), 'PreconditionFailed');
    }
    expect((await world.bytesOf(ref)).toString()).toBe('bytes');
  },

  'a delete of what is not there succeeds whatever its conditions': async (world) => {
    needsConditions(world);
    const conditions = { ifMatch: 'any', sizeBytes: 1 };
    await world.canWrite.delete(world.ref('missing'), { conditions }, world.signal);
    expect(await world.exists(world.ref('missing'))).toBe(false);
  },

  'of a put and a delete that race for one version, one comes first and the other sees it': async (world) => {
    needsConditions(world);
    world.needs(world.capabilities.deleteIf === 'atomic' && world.capabilities.putIfMatch === 'atomic', 'atomicity');
    for (let round = 0; round < 10; round += 1) {
      const ref = world.ref(`raced-${round}`);
      const { etag } = await world.put(ref, Buffer.from('old'));
      const [put, removed] = await Promise.allSettled([
        world.put(ref, Buffer.from('new'), { conditions: { ifMatch: etag } }),
        world.canWrite.delete(ref, { conditions: { ifMatch: etag } }, world.signal),
      ]);
      expect([put.status, removed.status].sort()).toEqual(['fulfilled', 'rejected']);
      expect(await world.exists(ref)).toBe(put.status === 'fulfilled');
    }
  },
};
