// Many deletes at one origin, whatever it offers: in its own batches, or one by one, a few at a time.
import pLimit from 'p-limit';
import { type Backend, BackendError, type DeleteOutcome, type DeleteTarget } from '../../backends/backend.ts';
import type { Route } from './bucket-map.ts';

/** Deletes under way at once at an origin without batches. */
const CONCURRENT_DELETES = 16;

export async function deleteInBatches(
  route: Route,
  deleteMany: NonNullable<Backend['deleteMany']>,
  targets: readonly DeleteTarget[],
  signal: AbortSignal,
): Promise<readonly DeleteOutcome[]> {
  const batchSize = Math.max(1, route.backend.capabilities.batchDeleteMax);
  const outcomes: DeleteOutcome[] = [];
  for (let start = 0; start < targets.length; start += batchSize) {
    outcomes.push(...(await deleteMany(route.bucket, targets.slice(start, start + batchSize), signal)));
  }
  return outcomes;
}

/** One failed delete is that key's outcome and stops no other; a missing bucket is everybody's. */
export async function deleteOneByOne(
  route: Route,
  remove: NonNullable<Backend['delete']>,
  targets: readonly DeleteTarget[],
  signal: AbortSignal,
): Promise<readonly DeleteOutcome[]> {
  const limit = pLimit(CONCURRENT_DELETES);
  return Promise.all(
    targets.map((target) =>
      limit(async (): Promise<DeleteOutcome> => {
        try {
          const ref = { bucket: route.bucket, key: target.key };
          return {
            ...target,
            deleted: await remove(ref, { versionId: target.versionId, conditions: target.conditions }, signal),
          };
        } catch (error) {
          if (!(error instanceof BackendError) || error.code === 'NoSuchBucket') throw error;
          return { ...target, error };
        }
      }),
    ),
  );
}
