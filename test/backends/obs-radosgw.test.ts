// OBS's older signatures against a real S3 server that checks them: Debian's radosgw. A second opinion on all of the
// protocol but OBS's own header names.
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { openObsBackend } from '../../backends/obs.ts';
import { backendContract } from '../contracts/backend.ts';
import { hasRadosgw, type RunningServer, startRadosgw } from '../support/radosgw.ts';

// The same cases each time: what chance finds in a server that is not ours says nothing of what is.
fc.configureGlobal({ seed: 16 });

/** Of Debian's version, 16. */
const DEVIATIONS = {
  'a read of an object that has not changed tells its etag, and when it was changed last':
    'its 304 says nothing of the object',
  'uploads under way are listed by key and then by age, page by page':
    'it leaves the common prefixes out of a listing of uploads',
  'an upload that is unknown, completed or aborted is NoSuchUpload':
    'it says of an aborted one that its completion is under way',
  'a delete puts a marker on top, which hides the object and nothing else': 'it takes a marker for no version',
  'a key that was never there gets a marker all the same, and markers pile up': 'it tells no version of the marker',
  'a version is copied from, and a copy is a version of its own': 'it tells no version of the copy',
  'versions are listed by key and age, page by page, prefixes once': 'its key marker without a version is inclusive',
  'any order of writes, deletes and removals leaves the versions that a model has':
    'it tells no version of a marker, and takes one for no version',
  'parts that were sent but not named are left out': 'it wants every part named',
  'paging through random keys by any prefix, delimiter and start agrees with the model':
    'a marker within a common prefix hides it, though keys of it come after the marker',
};

let server: Promise<RunningServer> | undefined;
afterAll(async () => (await server)?.close());

if (hasRadosgw()) {
  backendContract('obs with signature v2 on radosgw', openOnRadosgw, { runs: 2, deviations: DEVIATIONS });

  test("keys that the origin rejects are the operator's trouble, also where its answer has no document", async () => {
    for (const wrong of [{ secretAccessKey: 'not-the-secret' }, { accessKeyId: 'NOBODYSKEY' }]) {
      const backend = await openObsBackend({ ...(await shared()), ...wrong, signature: 'v2' });
      const { signal } = new AbortController();
      const ref = { bucket: 'contract', key: 'any' };
      await expect(backend.head(ref, {}, signal)).rejects.toMatchObject({ code: 'Misconfigured' });
      await expect(backend.headBucket('contract', signal)).rejects.toMatchObject({ code: 'Misconfigured' });
      await expect(backend.read(ref, {}, signal)).rejects.toMatchObject({ code: 'Misconfigured' });
      await expect(backend.check(signal)).rejects.toMatchObject({ code: 'Misconfigured' });
      await backend.close();
    }
  });
} else {
  describe('backend contract: obs with signature v2 on radosgw', () => {
    test.skip('skipped: not installed (apt-get install radosgw ceph-mon ceph-osd ceph-common)', () => undefined);
  });
}

function shared(): Promise<RunningServer> {
  server ??= startRadosgw();
  return server;
}

async function openOnRadosgw() {
  const backend = await openObsBackend({ ...(await shared()), signature: 'v2' });
  const bucket = 'contract';
  await backend.buckets?.create(bucket, { owner: 'tester' }, new AbortController().signal);
  return { backend, bucket, close: () => backend.close() };
}
