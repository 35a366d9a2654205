// Request line → operation: by table, and for any request at all.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { S3Error } from '../../src/s3/errors.ts';
import { detectOperation } from '../../src/s3/operation.ts';
import { OPERATIONS } from '../../src/s3/operations/table.ts';
import { BUCKET_SUBRESOURCES, OBJECT_SUBRESOURCES } from '../../src/s3/subresources.ts';
import { parseTarget } from '../../src/s3/target.ts';

function detect(line: string, headers: Record<string, string> = {}): string {
  const [method = '', url = ''] = line.split(' ');
  const target = parseTarget(url, undefined, undefined);
  try {
    return detectOperation(method, target, target.query, headers);
  } catch (error) {
    if (error instanceof S3Error) return error.code;
    throw error;
  }
}

const LINES: readonly (readonly [line: string, operation: string])[] = [
  ['GET /', 'ListBuckets'],
  ['GET /?max-buckets=3&x-id=ListBuckets', 'ListBuckets'],
  ['POST /', 'MethodNotAllowed'],
  ['GET /bucket', 'ListObjects'],
  ['GET /bucket/', 'ListObjects'],
  ['GET /bucket?prefix=&delimiter=&marker=', 'ListObjects'],
  ['GET /bucket?list-type=2&start-after=&delimiter=', 'ListObjectsV2'],
  ['GET /bucket?list-type=3', 'InvalidArgument'],
  ['GET /bucket?versions', 'ListObjectVersions'],
  ['GET /bucket?uploads=', 'ListMultipartUploads'],
  ['GET /bucket?location', 'GetBucketLocation'],
  ['GET /bucket?versioning', 'GetBucketVersioning'],
  ['PUT /bucket?versioning', 'PutBucketVersioning'],
  ['PUT /bucket/', 'CreateBucket'],
  ['HEAD /bucket', 'HeadBucket'],
  ['HEAD /bucket?acl', 'MethodNotAllowed'],
  ['DELETE /bucket', 'DeleteBucket'],
  ['DELETE /bucket?policy', 'DeleteBucketPolicy'],
  ['POST /bucket?delete=', 'DeleteObjects'],
  ['POST /bucket', 'PostObject'],
  ['GET /bucket?acl&policy', 'InvalidArgument'],
  ['GET /bucket?newthing', 'NotImplemented'],
  ['PUT /bucket?newthing', 'NotImplemented'],
  ['GET /bucket/key', 'GetObject'],
  ['GET /bucket/key?x-id=GetObject&response-content-type=', 'GetObject'],
  ['GET /bucket/key?cache=1', 'GetObject'],
  ['GET /bucket/key?partNumber=1', 'GetObject'],
  ['GET /bucket/key?versionId=null', 'GetObject'],
  ['GET /bucket/key?uploadId=u', 'ListParts'],
  ['GET /bucket/key?torrent', 'GetObjectTorrent'],
  ['GET /bucket/key?newthing', 'NotImplemented'],
  ['PUT /bucket/key', 'PutObject'],
  ['PUT /bucket/key?newthing', 'NotImplemented'],
  ['PUT /bucket/key?partNumber=1', 'InvalidArgument'],
  ['PUT /bucket/key?partNumber=1&uploadId=u', 'UploadPart'],
  ['PUT /bucket/key?tagging', 'PutObjectTagging'],
  ['POST /bucket/key', 'MethodNotAllowed'],
  ['POST /bucket/key?uploads', 'CreateMultipartUpload'],
  ['POST /bucket/key?uploadId=u', 'CompleteMultipartUpload'],
  ['POST /bucket/key?select&select-type=2', 'SelectObjectContent'],
  ['DELETE /bucket/key', 'DeleteObject'],
  ['DELETE /bucket/key?uploadId=u', 'AbortMultipartUpload'],
  ['OPTIONS /bucket/key', 'MethodNotAllowed'],
  ['PATCH /bucket/key', 'MethodNotAllowed'],
];

test.each(LINES)('%s is %s', (line, operation) => {
  expect(detect(line)).toBe(operation);
});

test('a copy source makes a put a copy, and a part upload a part copy', () => {
  const copy = { 'x-amz-copy-source': '/bucket/source' };
  expect(detect('PUT /bucket/key', copy)).toBe('CopyObject');
  expect(detect('PUT /bucket/key?partNumber=1&uploadId=u', copy)).toBe('UploadPartCopy');
});

test('trap 30: no sub-resource that S3 knows falls through to the plain operation', () => {
  const plain =
    /^(ListObjects|ListObjectsV2|CreateBucket|DeleteBucket|HeadBucket|PostObject|GetObject|PutObject|DeleteObject|HeadObject)$/;
  for (const method of ['GET', 'HEAD', 'PUT', 'POST', 'DELETE']) {
    for (const name of Object.keys(BUCKET_SUBRESOURCES)) expect(detect(`${method} /bucket?${name}`)).not.toMatch(plain);
    for (const name of Object.keys(OBJECT_SUBRESOURCES))
      expect(detect(`${method} /bucket/k?${name}`)).not.toMatch(plain);
  }
});

test('any request names a known operation or is refused with an S3 error', () => {
  const parameter = fc.tuple(
    fc.oneof(
      fc.constantFrom(...Object.keys(BUCKET_SUBRESOURCES), ...Object.keys(OBJECT_SUBRESOURCES)),
      fc.constantFrom('prefix', 'list-type', 'partNumber', 'versionId', 'x-id', 'constructor', '__proto__'),
      fc.string(),
    ),
    fc.oneof(fc.constant(''), fc.constantFrom('2', '1'), fc.string()),
  );
  fc.assert(
    fc.property(
      fc.oneof(fc.constantFrom('GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'OPTIONS'), fc.string()),
      fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
      fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
      fc.array(parameter, { maxLength: 4 }),
      fc.dictionary(fc.constantFrom('x-amz-copy-source', 'range'), fc.string()),
      (method, bucket, key, query, headers) => {
        try {
          const name = detectOperation(method, { bucket, key }, query, headers);
          expect(Object.hasOwn(OPERATIONS, name)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(S3Error);
        }
      },
    ),
    { numRuns: 500 },
  );
});
