// One object: written, read, copied and deleted, with conditions and checksums.
import { createHash } from 'node:crypto';
import { type Case, objects } from './case.ts';

const md5 = (text: string) => createHash('md5').update(text).digest('base64');
const sha256 = (text: string) => createHash('sha256').update(text).digest('base64');
const ETAG_OF_BAR = '"37b51d194a7513e45b56f6524f2d51f2"';

export const OBJECTS: readonly Case[] = [
  {
    name: 'an object is written, read, replaced and deleted, and deleted again',
    steps: [
      { send: 'PUT /{b}/k', body: 'bar', status: 200, has: { etag: ETAG_OF_BAR } },
      { send: 'GET /{b}/k', status: 200, text: 'bar', has: { etag: ETAG_OF_BAR, 'content-length': '3' } },
      { send: 'HEAD /{b}/k', status: 200, has: { 'content-length': '3' } },
      { send: 'PUT /{b}/k', body: 'soup', status: 200 },
      { send: 'GET /{b}/k', status: 200, text: 'soup' },
      { send: 'DELETE /{b}/k', status: 204 },
      { send: 'GET /{b}/k', status: 404, code: 'NoSuchKey' },
      { send: 'DELETE /{b}/k', status: 204 },
    ],
  },
  {
    name: 'headers and metadata are kept, and gone with the next write',
    steps: [
      {
        send: 'PUT /{b}/k',
        body: 'bar',
        headers: { 'cache-control': 'no-cache', 'content-type': 'text/x', expires: 'soon', 'x-amz-meta-a': 'b' },
        status: 200,
      },
      {
        send: 'GET /{b}/k',
        status: 200,
        has: { 'cache-control': 'no-cache', 'content-type': 'text/x', expires: 'soon', 'x-amz-meta-a': 'b' },
      },
      { send: 'PUT /{b}/k', body: 'bar', status: 200 },
      { send: 'GET /{b}/k', status: 200, has: { 'x-amz-meta-a': null, 'cache-control': null } },
    ],
  },
  {
    name: 'metadata of one byte beyond ASCII comes back as that byte',
    steps: [
      { send: 'PUT /{b}/k', body: 'x', headers: { 'x-amz-meta-a': 'caf\u00e9' }, status: 200 },
      { send: 'GET /{b}/k', status: 200, has: { 'x-amz-meta-a': 'caf\u00e9' } },
    ],
    deviates: 'headers are UTF-8 here: what came as Latin-1 is kept, and goes out as UTF-8',
  },
  ...(
    [
      ['not base64', 'AWS HAHAHA', 'InvalidDigest'],
      ['too short', 'YWJyYWNhZGFicmE=', 'InvalidDigest'],
      ['of other bytes', md5('foo'), 'BadDigest'],
    ] as const
  ).map(([what, value, code]) => ({
    name: `an MD5 ${what} is refused`,
    steps: [
      { send: 'PUT /{b}/k', body: 'bar', headers: { 'content-md5': value }, status: 400, code },
      { send: 'GET /{b}/k', status: 404, code: 'NoSuchKey' },
    ],
  })),
  {
    name: 'a checksum is verified, kept, and told when asked',
    steps: [
      { send: 'PUT /{b}/k', body: 'bar', headers: { 'x-amz-checksum-sha256': sha256('bar') }, status: 200 },
      { send: 'HEAD /{b}/k', status: 200, has: { 'x-amz-checksum-sha256': null } },
      {
        send: 'HEAD /{b}/k',
        headers: { 'x-amz-checksum-mode': 'ENABLED' },
        status: 200,
        has: { 'x-amz-checksum-sha256': sha256('bar') },
      },
      {
        send: 'PUT /{b}/k',
        body: 'bar',
        headers: { 'x-amz-checksum-sha256': sha256('foo') },
        status: 400,
        code: 'BadDigest',
      },
    ],
  },
  {
    name: 'a checksum that is none is a bad digest',
    steps: [
      { send: 'PUT /{b}/k', body: 'bar', headers: { 'x-amz-checksum-sha256': 'bad' }, status: 400, code: 'BadDigest' },
    ],
    deviates: 'S3 calls it an invalid request',
  },
  {
    name: 'ranges',
    steps: [
      { send: 'PUT /{b}/k', body: 'testcontent', status: 200 },
      {
        send: 'GET /{b}/k',
        headers: { range: 'bytes=4-7' },
        status: 206,
        text: 'cont',
        has: { 'content-range': 'bytes 4-7/11' },
      },
      { send: 'GET /{b}/k', headers: { range: 'bytes=4-' }, status: 206, text: 'content' },
      { send: 'GET /{b}/k', headers: { range: 'bytes=-7' }, status: 206, text: 'content' },
      { send: 'GET /{b}/k', headers: { range: 'bytes=40-50' }, status: 416, code: 'InvalidRange' },
      { send: 'PUT /{b}/empty', status: 200 },
      { send: 'GET /{b}/empty', headers: { range: 'bytes=40-50' }, status: 416, code: 'InvalidRange' },
    ],
  },
  {
    name: 'conditions on reads',
    steps: [
      { send: 'PUT /{b}/k', body: 'bar', status: 200 },
      { send: 'GET /{b}/k', headers: { 'if-match': ETAG_OF_BAR }, status: 200 },
      { send: 'GET /{b}/k', headers: { 'if-match': '"ABC"' }, status: 412, code: 'PreconditionFailed' },
      { send: 'GET /{b}/k', headers: { 'if-none-match': ETAG_OF_BAR }, status: 304, has: { etag: ETAG_OF_BAR } },
      { send: 'GET /{b}/k', headers: { 'if-modified-since': 'Sat, 29 Oct 1994 19:43:31 GMT' }, status: 200 },
      {
        send: 'GET /{b}/k',
        headers: { 'if-unmodified-since': 'Sat, 29 Oct 1994 19:43:31 GMT' },
        status: 412,
        code: 'PreconditionFailed',
      },
    ],
  },
  {
    name: 'conditions on writes',
    steps: [
      { send: 'PUT /{b}/k', body: 'x', headers: { 'if-match': '*' }, status: 404, code: 'NoSuchKey' },
      { send: 'PUT /{b}/k', body: 'bar', headers: { 'if-none-match': '*' }, status: 200 },
      { send: 'PUT /{b}/k', body: 'x', headers: { 'if-none-match': '*' }, status: 412, code: 'PreconditionFailed' },
      { send: 'PUT /{b}/k', body: 'x', headers: { 'if-match': '"ABC"' }, status: 412, code: 'PreconditionFailed' },
      { send: 'GET /{b}/k', status: 200, text: 'bar' },
      { send: 'PUT /{b}/k', body: 'zar', headers: { 'if-match': ETAG_OF_BAR }, status: 200 },
    ],
  },
  {
    name: 'conditions on deletes',
    steps: [
      { send: 'PUT /{b}/k', body: 'bar', status: 200 },
      { send: 'DELETE /{b}/k', headers: { 'if-match': '"ABC"' }, status: 412, code: 'PreconditionFailed' },
      { send: 'DELETE /{b}/k', headers: { 'x-amz-if-match-size': '9' }, status: 412, code: 'PreconditionFailed' },
      { send: 'DELETE /{b}/k', headers: { 'if-match': ETAG_OF_BAR, 'x-amz-if-match-size': '3' }, status: 204 },
      { send: 'GET /{b}/k', status: 404, code: 'NoSuchKey' },
    ],
  },
  {
    name: 'copies keep what they copy unless told otherwise',
    steps: [
      { send: 'PUT /{b}/k', body: 'bar', headers: { 'content-type': 'text/x', 'x-amz-meta-a': 'b' }, status: 200 },
      { send: 'PUT /{b}/c', headers: { 'x-amz-copy-source': '{b}/k' }, status: 200, elements: { ETag: [ETAG_OF_BAR] } },
      { send: 'GET /{b}/c', status: 200, text: 'bar', has: { 'content-type': 'text/x', 'x-amz-meta-a': 'b' } },
      {
        send: 'PUT /{b}/c',
        headers: { 'x-amz-copy-source': '/{b}/k', 'x-amz-metadata-directive': 'REPLACE', 'x-amz-meta-c': 'd' },
        status: 200,
      },
      { send: 'GET /{b}/c', status: 200, has: { 'x-amz-meta-a': null, 'x-amz-meta-c': 'd' } },
      { send: 'PUT /{b}/k', headers: { 'x-amz-copy-source': '/{b}/k' }, status: 400, code: 'InvalidRequest' },
      { send: 'PUT /{b}/c', headers: { 'x-amz-copy-source': '/{b}/none' }, status: 404, code: 'NoSuchKey' },
      { send: 'PUT /{b}/c', headers: { 'x-amz-copy-source': '/{b}-none/k' }, status: 404, code: 'NoSuchBucket' },
      {
        send: 'PUT /{b}/c',
        headers: { 'x-amz-copy-source': '/{b}/k', 'x-amz-copy-source-if-match': '"ABC"' },
        status: 412,
        code: 'PreconditionFailed',
      },
      { send: 'PUT /{b}/c', as: 'alt', headers: { 'x-amz-copy-source': '/{b}/k' }, status: 403, code: 'AccessDenied' },
      {
        send: 'PUT /{b}/c',
        headers: { 'x-amz-copy-source': '/{b}/k', 'x-amz-source-expected-bucket-owner': 'alt' },
        status: 403,
        code: 'AccessDenied',
      },
      {
        send: 'PUT /{b}/c',
        headers: { 'x-amz-copy-source': '/{b}/k', 'x-amz-source-expected-bucket-owner': 'main' },
        status: 200,
      },
    ],
  },
  {
    name: 'many are deleted at once, and the absent count as deleted',
    steps: [
      ...objects('a', 'b'),
      {
        send: 'POST /{b}?delete',
        body: '<Delete><Object><Key>a</Key></Object><Object><Key>none</Key></Object></Delete>',
        headers: {
          'content-md5': md5('<Delete><Object><Key>a</Key></Object><Object><Key>none</Key></Object></Delete>'),
        },
        status: 200,
        elements: { Key: ['a', 'none'] },
      },
      { send: 'GET /{b}', status: 200, elements: { Key: ['b'] } },
    ],
  },
  {
    name: 'headers about what is not here, payment and governance, are taken and mean nothing',
    steps: [
      { send: 'PUT /{b}/k', body: 'bar', headers: { 'x-amz-request-payer': 'requester' }, status: 200 },
      { send: 'GET /{b}/k', headers: { 'x-amz-request-payer': 'requester' }, status: 200, text: 'bar' },
      { send: 'DELETE /{b}/k', headers: { 'x-amz-bypass-governance-retention': 'true' }, status: 204 },
    ],
  },
  {
    name: 'what an answer says of its bytes can be overridden by whoever signs',
    steps: [
      { send: 'PUT /{b}/k', body: 'bar', headers: { 'x-amz-acl': 'public-read' }, status: 200 },
      {
        send: 'GET /{b}/k?response-cache-control=no-cache&response-content-type=foo%2Fbar&response-expires=never',
        status: 200,
        has: { 'cache-control': 'no-cache', 'content-type': 'foo/bar', expires: 'never' },
      },
      { send: 'GET /{b}/k?response-expires=never', as: 'nobody', status: 400, code: 'InvalidRequest' },
    ],
  },
  {
    name: 'a part that an object has not is an invalid part',
    steps: [...objects('a'), { send: 'GET /{b}/a?partNumber=2', status: 400, code: 'InvalidPart' }],
    deviates: 'S3 has 416 InvalidPartNumber for it',
  },
  {
    name: 'what is known of an object is told in one answer',
    steps: [
      ...objects('a'),
      {
        send: 'GET /{b}/a?attributes',
        headers: { 'x-amz-object-attributes': 'ETag,ObjectSize,StorageClass' },
        status: 200,
        elements: { ETag: ['0cc175b9c0f1b6a831c399e269772661'], ObjectSize: ['1'], StorageClass: ['STANDARD'] },
      },
    ],
  },
  {
    name: 'a body of unknown length is stored',
    steps: [
      {
        send: 'PUT /{b}/k',
        body: 'bar',
        headers: { 'transfer-encoding': 'chunked', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
        status: 200,
      },
    ],
    deviates: 'as at S3 a body has a length',
  },
];
