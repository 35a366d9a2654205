// The s3 backend against a real S3 server that checks signatures: Debian's radosgw.
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { openS3Backend } from '../../backends/s3.ts';
import { backendContract } from '../contracts/backend.ts';
import { hasRadosgw, type RunningServer, startRadosgw } from '../support/radosgw.ts';

// The same cases each time: what chance finds in a server that is not ours says nothing of what is.
fc.configureGlobal({ seed: 16 });

/** Of Debian's version, 16. */
const DEVIATIONS = {
  'a read of an object that has not changed tells its etag, and when it was changed last':
    'its 304 says nothing of the object',
  'uploads under way are listed by key and then by age, page by page':
    'it names common prefixes of uploads otherwise than S3',
  'a token that the backend never gave is InvalidArgument': 'its tokens are keys, and any text is one',
  'an upload that is unknown, completed or aborted is NoSuchUpload':
    'it says of an aborted one that its completion is under way',
  'a delete puts a marker on top, which hides the object and nothing else': 'it takes a marker for no version',
  'a key that was never there gets a marker all the same, and markers pile up': 'it tells no version of the marker',
  'a multipart upload makes a version, which keeps its parts when another follows': 'it ignores part numbers',
  'a key under a delete marker is absent to conditions': 'it keeps no conditions in a bucket with versions',
  'versions are listed by key and age, page by page, prefixes once': 'its key marker without a version is inclusive',
  'parts that were sent but not named are left out': 'it wants every part named',
  'tags that are set replace all others and leave the object what it was':
    'to it, an object whose tags change is modified',
  'a copy keeps the tags of its source unless it brings its own': 'it replaces tags with the metadata only',
  'a multipart upload brings the tags it was begun with': 'it forgets them',
  'a version is copied from, and a copy is a version of its own': 'it tells no version of a copy',
};

let server: Promise<RunningServer> | undefined;
afterAll(async () => (await server)?.close());

if (hasRadosgw()) {
  backendContract('s3 on radosgw', openOnRadosgw, { runs: 10, deviations: DEVIATIONS });

  test("keys that the origin rejects are the operator's trouble, also where its answer has no document", async () => {
    for (const wrong of [{ secretAccessKey: 'not-the-secret' }, { accessKeyId: 'NOBODYSKEY' }]) {
      const backend = openS3Backend({ ...(await shared()), ...wrong, pathStyle: true });
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
  describe('backend contract: s3 on radosgw', () => {
    test.skip('skipped: not installed (apt-get install radosgw ceph-mon ceph-osd ceph-common)', () => undefined);
  });
}

function shared(): Promise<RunningServer> {
  server ??= startRadosgw();
  return server;
}

async function openOnRadosgw() {
  const backend = openS3Backend({ ...(await shared()), pathStyle: true, checksums: false });
  const bucket = 'contract';
  await backend.buckets?.create(bucket, { owner: 'tester' }, new AbortController().signal);
  return { backend, bucket, close: () => backend.close() };
}
