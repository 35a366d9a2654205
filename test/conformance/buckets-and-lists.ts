// Buckets, whose they are, and what lists of them say.
import { type Case, objects } from './case.ts';

const KEYS = objects('a', 'b/1', 'b/2', 'b/c/3', 'd%2Be', 'f%20g');

export const BUCKETS_AND_LISTS: readonly Case[] = [
  {
    name: 'a bucket is made, found, and gone when deleted',
    steps: [
      { send: 'PUT /{b}-new', status: 200, has: { location: /-new$/ } },
      { send: 'HEAD /{b}-new', status: 200, has: { 'x-amz-bucket-region': 'us-east-1' } },
      { send: 'DELETE /{b}-new', status: 204 },
      { send: 'GET /{b}-new', status: 404, code: 'NoSuchBucket' },
      { send: 'DELETE /{b}-new', status: 404, code: 'NoSuchBucket' },
    ],
  },
  {
    name: 'a bucket with an object in it stays',
    steps: [...objects('a'), { send: 'DELETE /{b}', status: 409, code: 'BucketNotEmpty' }],
  },
  {
    name: 'making a bucket again keeps what is in it; to others the name is taken',
    steps: [
      ...objects('a'),
      { send: 'PUT /{b}', status: 200 },
      { send: 'GET /{b}', status: 200, elements: { Key: ['a'] } },
      { send: 'PUT /{b}', as: 'alt', status: 409, code: 'BucketAlreadyExists' },
    ],
  },
  ...['ab', 'Upper', 'a_b', 'a..b', '192.168.5.1', 'ab-', '-ab', 'a.-b'].map((name) => ({
    name: `'${name}' is no name of a bucket`,
    steps: [{ send: `PUT /${name}`, status: 400, code: 'InvalidBucketName' }],
  })),
  {
    name: 'an account sees its own buckets, and nobody else them',
    steps: [
      { send: 'GET /?prefix={b}', status: 200, elements: { Name: [] }, as: 'alt' },
      { send: 'GET /{b}', as: 'alt', status: 403, code: 'AccessDenied' },
      { send: 'GET /{b}', as: 'tenant', status: 403, code: 'AccessDenied' },
      { send: 'GET /{b}', as: 'nobody', status: 403, code: 'AccessDenied' },
      { send: 'PUT /{b}/key', as: 'alt', body: 'x', status: 403, code: 'AccessDenied' },
    ],
  },
  {
    name: 'a list gives keys in order, with sizes and ETags',
    steps: [
      ...KEYS,
      {
        send: 'GET /{b}',
        status: 200,
        elements: {
          Key: ['a', 'b/1', 'b/2', 'b/c/3', 'd+e', 'f g'],
          Size: ['1', '3', '3', '5', '3', '3'],
          IsTruncated: ['false'],
        },
      },
    ],
  },
  {
    name: 'a delimiter folds what is below it',
    steps: [
      ...KEYS,
      { send: 'GET /{b}?delimiter=%2F', status: 200, elements: { Key: ['a', 'd+e', 'f g'], Prefix: ['b/'] } },
      {
        send: 'GET /{b}?delimiter=%2F&prefix=b%2F',
        status: 200,
        elements: { Key: ['b/1', 'b/2'], Prefix: ['b/', 'b/c/'] },
      },
      { send: 'GET /{b}?list-type=2&delimiter=%20', status: 200, elements: { KeyCount: ['6'], Prefix: ['f '] } },
    ],
  },
  {
    name: 'pages of the second version go on by token',
    steps: [
      ...KEYS,
      {
        send: 'GET /{b}?list-type=2&max-keys=4',
        status: 200,
        elements: { KeyCount: ['4'], IsTruncated: ['true'], Key: ['a', 'b/1', 'b/2', 'b/c/3'] },
        save: { token: { element: 'NextContinuationToken' } },
      },
      {
        send: 'GET /{b}?list-type=2&continuation-token={token}&start-after=a',
        status: 200,
        elements: { Key: ['d+e', 'f g'], IsTruncated: ['false'], KeyCount: ['2'] },
      },
    ],
  },
  {
    name: 'pages of the first version go on by marker, which need not be a key',
    steps: [
      ...KEYS,
      { send: 'GET /{b}?max-keys=1&delimiter=%2F', status: 200, elements: { NextMarker: ['a'], Key: ['a'] } },
      { send: 'GET /{b}?marker=b%2F2', status: 200, elements: { Key: ['b/c/3', 'd+e', 'f g'], Marker: ['b/2'] } },
      { send: 'GET /{b}?marker=c', status: 200, elements: { Key: ['d+e', 'f g'] } },
      { send: 'GET /{b}?marker=zzz', status: 200, elements: { Key: [] } },
    ],
  },
  {
    name: 'max-keys: none, nonsense, more than there are',
    steps: [
      ...KEYS,
      { send: 'GET /{b}?max-keys=0', status: 200, elements: { Key: [], IsTruncated: ['false'] } },
      { send: 'GET /{b}?max-keys=blah', status: 400, code: 'InvalidArgument' },
      { send: 'GET /{b}?max-keys=5000', status: 200, elements: { MaxKeys: ['1000'] } },
    ],
  },
  {
    name: 'encoding-type=url encodes keys and prefixes',
    steps: [
      ...KEYS,
      { send: 'GET /{b}?encoding-type=url&prefix=d', status: 200, elements: { Key: ['d%2Be'], EncodingType: ['url'] } },
      {
        send: 'GET /{b}?list-type=2&encoding-type=url&delimiter=%20&prefix=f',
        status: 200,
        elements: { Prefix: ['f', 'f%20'] },
      },
    ],
  },
  {
    name: 'the second version names owners only when asked',
    steps: [
      ...objects('a'),
      { send: 'GET /{b}?list-type=2', status: 200, elements: { DisplayName: [] } },
      { send: 'GET /{b}?list-type=2&fetch-owner=true', status: 200, elements: { DisplayName: ['main'] } },
      { send: 'GET /{b}', status: 200, elements: { DisplayName: ['main'] } },
    ],
  },
  {
    name: 'an anonymous list of buckets is empty',
    steps: [{ send: 'GET /', as: 'nobody', status: 200, elements: { Name: [] } }],
    deviates: 'as at S3, whoever asks for buckets has to say who asks',
  },
  {
    name: 'the prefix of the first version is not encoded',
    steps: [{ send: 'GET /{b}?encoding-type=url&prefix=%0A', status: 200, elements: { Prefix: ['\n'] } }],
    deviates: "S3's documents have it encoded, and a raw control character is no XML",
  },
  {
    name: 'what is expected of the owner has to be so',
    steps: [
      { send: 'GET /{b}', headers: { 'x-amz-expected-bucket-owner': 'main' }, status: 200 },
      { send: 'GET /{b}', headers: { 'x-amz-expected-bucket-owner': 'alt' }, status: 403, code: 'AccessDenied' },
    ],
  },
  {
    name: 'a list opens a bucket to everybody, and to nobody again',
    steps: [
      ...objects('a'),
      { send: 'PUT /{b}?acl', headers: { 'x-amz-acl': 'public-read' }, status: 200 },
      { send: 'GET /{b}', as: 'nobody', status: 200, elements: { Key: ['a'] } },
      { send: 'GET /{b}/a', as: 'nobody', status: 403, code: 'AccessDenied' },
      { send: 'PUT /{b}/b', as: 'alt', body: 'x', status: 403, code: 'AccessDenied' },
      { send: 'PUT /{b}?acl', headers: { 'x-amz-acl': 'private' }, status: 200 },
      { send: 'GET /{b}', as: 'nobody', status: 403, code: 'AccessDenied' },
    ],
  },
  {
    name: 'a grant to one account opens the bucket to it',
    steps: [
      {
        send: 'PUT /{b}?acl',
        body: '<AccessControlPolicy><Owner><ID>main</ID></Owner><AccessControlList><Grant><Grantee><ID>alt</ID></Grantee><Permission>READ</Permission></Grant></AccessControlList></AccessControlPolicy>',
        status: 200,
      },
    ],
    deviates: 'grants to single accounts are left to bucket policies',
  },
];
