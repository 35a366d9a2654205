// The contract of backends/backend.ts as a suite: a new origin's compliance test is `backendContract(name, open)`.
// What an origin cannot do is skipped by its capabilities; what a particular server does otherwise than S3 is named
// in `deviations`, with the reason, so that nothing is left out silently.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../backends/backend.ts';
import { bucketDocumentPromises } from './backend/bucket-documents.ts';
import { bucketPromises } from './backend/buckets.ts';
import { checksumPromises } from './backend/checksums.ts';
import { conditionalDeletePromises } from './backend/conditional-deletes.ts';
import { conditionPromises } from './backend/conditions.ts';
import { copyPromises } from './backend/copying.ts';
import { keyPromises } from './backend/keys.ts';
import { listingPromises } from './backend/listing.ts';
import { multipartPromises } from './backend/multipart.ts';
import { objectAclPromises } from './backend/object-acls.ts';
import { objectPartPromises } from './backend/object-parts.ts';
import { readingPromises } from './backend/reading.ts';
import { taggingPromises } from './backend/tagging.ts';
import { uploadListingPromises } from './backend/upload-listing.ts';
import { versioningPromises } from './backend/versioning.ts';
import { versioningModelPromises } from './backend/versioning-model.ts';
import { World } from './backend/world.ts';
import { writingPromises } from './backend/writing.ts';

/** One opened origin with one empty bucket that belongs to this run of the suite alone. */
export interface ContractSubject {
  readonly backend: Backend;
  readonly bucket: string;
  /** For origins that are only read: puts an object there behind the backend's back. */
  readonly seed?: ((key: string, bytes: Buffer) => Promise<void>) | undefined;
  readonly close: () => Promise<void>;
}

export interface ContractOptions {
  /** Which keys this origin can hold at all; default: every key within keyMaxBytes. */
  readonly acceptsKey?: ((key: string) => boolean) | undefined;
  /** How many random cases a property tries; default 20. Each case makes a few objects. */
  readonly runs?: number | undefined;
  /** Test name → why this server cannot keep it. A name that is not a test of the suite fails the suite. */
  readonly deviations?: Readonly<Record<string, string>> | undefined;
}

/** A promise either keeps, throws, or returns why it does not apply to this origin. */
export type ContractPromise = (world: World) => Promise<unknown>;

const PROMISES: Readonly<Record<string, ContractPromise>> = {
  ...readingPromises,
  ...keyPromises,
  ...writingPromises,
  ...conditionPromises,
  ...listingPromises,
  ...multipartPromises,
  ...checksumPromises,
  ...uploadListingPromises,
  ...copyPromises,
  ...objectAclPromises,
  ...taggingPromises,
  ...conditionalDeletePromises,
  ...objectPartPromises,
  ...versioningPromises,
  ...versioningModelPromises,
  ...bucketPromises,
  ...bucketDocumentPromises,
};

export function backendContract(
  name: string,
  open: () => Promise<ContractSubject>,
  options: ContractOptions = {},
): void {
  const deviations = options.deviations ?? {};
  describe(`backend contract: ${name}`, () => {
    let subject: ContractSubject | undefined;
    beforeAll(async () => {
      subject = await open();
    });
    afterAll(() => subject?.close());

    test('every deviation names a promise of the suite', () => {
      expect(Object.keys(deviations).filter((promise) => !Object.hasOwn(PROMISES, promise))).toEqual([]);
    });

    for (const [promise, keep] of Object.entries(PROMISES)) {
      test(promise, async ({ skip }) => {
        const deviation = deviations[promise];
        if (deviation !== undefined) skip(deviation);
        if (subject === undefined) throw new Error('The origin was not opened.');
        await keep(new World(subject, options, skip));
      });
    }
  });
}
