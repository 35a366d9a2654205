// Conditions on writes. 'atomic' origins must also hold them under races.
import { expect } from 'vitest';
import { BackendError } from '../../../backends/backend.ts';
import type { ContractPromise } from '../backend.ts';
import { rejection } from './world.ts';

export const conditionPromises: Record<string, ContractPromise> = {
  'If-None-Match * creates and never replaces': async (world) => {
    world.needs(world.capabilities.putIfAbsent !== 'none', 'If-None-Match on writes');
    const ref = world.ref();
    const conditions = { ifNoneMatch: '*' };
    await world.put(ref, Buffer.from('first'), { conditions });
    await rejection(world.put(ref, Buffer.from('second'), { conditions }), 'PreconditionFailed');
    expect((await world.bytesOf(ref)).toString()).toBe('first');
  },

  'If-Match replaces only the object that has this etag': async (world) => {
    world.needs(world.capabilities.putIfMatch !== 'none', 'If-Match on writes');
    const ref = world.ref();
    await rejection(world.put(ref, Buffer.from('x'), { conditions: { ifMatch: 'none' } }), 'NoSuchKey');
    const first = await world.put(ref, Buffer.from('first'));
    const wrong = { ifMatch: '00000000000000000000000000000000' };
    await rejection(world.put(ref, Buffer.from('x'), { conditions: wrong }), 'PreconditionFailed');
    await world.put(ref, Buffer.from('second'), { conditions: { ifMatch: first.etag } });
    await rejection(world.put(ref, Buffer.from('x'), { conditions: { ifMatch: first.etag } }), 'PreconditionFailed');
    expect((await world.bytesOf(ref)).toString()).toBe('second');
  },

  'of many puts with If-None-Match * at once exactly one succeeds': async (world) => {
    world.needs(world.capabilities.putIfAbsent === 'atomic', 'atomic If-None-Match on writes');
    const ref = world.ref();
    const bodies = Array.from({ length: 10 }, (_, index) => Buffer.from(`writer ${index}`));
    const outcomes = await Promise.allSettled(
      bodies.map((bytes) => world.put(ref, bytes, { conditions: { ifNoneMatch: '*' } })),
    );
    const winners = bodies.filter((_, index) => outcomes[index]?.status === 'fulfilled');
    expect(winners).toHaveLength(1);
    expect(losses(outcomes)).toEqual([]);
    expect((await world.bytesOf(ref)).toString()).toBe(winners[0]?.toString());
  },

  'a counter kept by If-Match loses no increment': async (world) => {
    world.needs(world.capabilities.putIfMatch === 'atomic', 'atomic If-Match on writes');
    const ref = world.ref();
    await world.put(ref, Buffer.from('0'));
    const increment = async (): Promise<void> => {
      for (;;) {
        const { etag } = (await world.backend.head(ref, {}, world.signal)).info;
        const count = Number(await world.bytesOf(ref, { conditions: { ifMatch: [etag] } }).catch(() => 'NaN'));
        if (Number.isNaN(count)) continue;
        try {
          await world.put(ref, Buffer.from(`${count + 1}`), { conditions: { ifMatch: etag } });
          return;
        } catch (error) {
          if (!lostRace(error)) throw error;
        }
      }
    };
    await Promise.all(Array.from({ length: 5 }, increment));
    expect((await world.bytesOf(ref)).toString()).toBe('5');
  },
};

function lostRace(error: unknown): boolean {
  return (
    error instanceof BackendError &&
    (error.code === 'PreconditionFailed' || error.code === 'ConditionalRequestConflict')
  );
}

/** Rejections for another reason than a lost race. */
function losses(outcomes: readonly PromiseSettledResult<unknown>[]): unknown[] {
  return outcomes.flatMap((outcome) =>
    outcome.status === 'rejected' && !lostRace(outcome.reason) ? [outcome.reason] : [],
  );
}
