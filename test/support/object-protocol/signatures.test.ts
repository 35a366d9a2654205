// The vectors are facts published by the vendors:
// - OSS: aliyun/alibabacloud-oss-go-sdk-v2, oss/signer/signer_test.go (access key 'ak', secret 'sk');
// - the older formula, which OBS shares: Amazon S3 Developer Guide, "Signing and authenticating REST requests".
import { expect, test } from 'vitest';
import { obsSignature, ossV1Signature, ossV4Signature, type SignedParts } from './signatures.ts';

const V1_DATE = 'Wed, 28 Dec 2022 10:27:41 GMT';
const V1_PUT: SignedParts = {
  method: 'PUT',
  bucket: 'examplebucket',
  key: 'nelson',
  query: new Map(),
  headers: {
    'content-md5': 'eB5eJF1ptWaXm4bijSPyxw==',
    'content-type': 'text/html',
    'x-oss-meta-author': 'alice',
    'x-oss-meta-magic': 'abracadabra',
    'x-oss-date': V1_DATE,
    date: V1_DATE,
  },
};
const V1_GET: SignedParts = {
  method: 'GET',
  bucket: 'examplebucket',
  query: new Map([
    ['resourceGroup', ''],
    ['non-resousce', 'null'],
  ]),
  headers: { 'x-oss-date': V1_DATE, date: V1_DATE },
};

test('OSS V1 signatures are those of the published vectors', () => {
  expect(ossV1Signature('sk', V1_PUT)).toBe('kSHKmLxlyEAKtZPkJhG9bZb5k7M=');
  expect(ossV1Signature('sk', { ...V1_PUT, query: new Map([['acl', '']]) })).toBe('/afkugFbmWDQ967j1vr6zygBLQk=');
  expect(ossV1Signature('sk', V1_GET)).toBe('vkQmfuUDyi1uDi3bKt67oemssIs=');
  const query = new Map([
    ['resourceGroup', ''],
    ['acl', ''],
  ]);
  expect(ossV1Signature('sk', { ...V1_GET, query })).toBe('x3E5TgOvl/i7PN618s5mEvpJDYk=');
});

const V4_PARTS: SignedParts = {
  method: 'PUT',
  bucket: 'bucket',
  key: '1234+-/123/1.txt',
  query: new Map([
    ['param1', 'value1'],
    ['+param1', 'value3'],
    ['|param1', 'value4'],
    ['+param2', ''],
    ['|param2', ''],
    ['param2', ''],
  ]),
  headers: {
    'x-oss-head1': 'value',
    abc: 'value',
    zabc: 'value',
    xyz: 'value',
    'content-type': 'text/plain',
    'x-oss-content-sha256': 'UNSIGNED-PAYLOAD',
  },
};

interface V4Vector {
  readonly name: string;
  readonly timestamp: string;
  readonly signature: string;
  readonly headers?: Record<string, string>;
  readonly additionalHeaders?: readonly string[];
  readonly region?: string;
  readonly product?: string;
}

const V4_VECTORS: readonly V4Vector[] = [
  {
    name: 'plain',
    timestamp: '20231216T162057Z',
    signature: 'e21d18daa82167720f9b1047ae7e7f1ce7cb77a31e8203a7d5f4624fa0284afe',
  },
  {
    name: 'cloud box',
    timestamp: '20231216T162057Z',
    region: 'cb-123',
    product: 'oss-cloudbox',
    signature: '94ce1f12c17d148ea681030275a94449d3357f5b5b21133996eec80af3e08a43',
  },
  {
    name: 'session token',
    timestamp: '20231217T034736Z',
    headers: { 'x-oss-security-token': 'token' },
    signature: 'b94a3f999cf85bcdc00d332fbd3734ba03e48382c36fa4d5af5df817395bd9ea',
  },
  {
    name: 'additional headers',
    timestamp: '20231216T172512Z',
    additionalHeaders: ['abc', 'zabc'],
    signature: '4a4183c187c07c8947db7620deb0a6b38d9fbdd34187b6dbaccb316fa251212f',
  },
];

test.each(V4_VECTORS)('an OSS V4 signature in the header is that of the published vector: $name', (vector) => {
  const headers = { ...V4_PARTS.headers, 'x-oss-date': vector.timestamp, ...vector.headers };
  const scope = {
    timestamp: vector.timestamp,
    region: vector.region ?? 'cn-hangzhou',
    product: vector.product ?? 'oss',
    additionalHeaders: vector.additionalHeaders ?? [],
  };
  expect(ossV4Signature('sk', { ...V4_PARTS, headers }, scope)).toBe(vector.signature);
});

test('an OSS V4 signature in the query is that of the published vector', () => {
  const query = new Map([
    ...V4_PARTS.query,
    ['x-oss-signature-version', 'OSS4-HMAC-SHA256'],
    ['x-oss-date', '20231217T025437Z'],
    ['x-oss-expires', '599'],
    ['x-oss-credential', 'ak/20231217/cn-hangzhou/oss/aliyun_v4_request'],
  ]);
  const headers = { 'x-oss-head1': 'value', 'content-type': 'application/octet-stream' };
  const scope = { timestamp: '20231217T025437Z', region: 'cn-hangzhou', product: 'oss', additionalHeaders: [] };
  expect(ossV4Signature('sk', { ...V4_PARTS, query, headers }, scope)).toBe(
    'a39966c61718be0d5b14e668088b3fa07601033f6518ac7b523100014269c0fe',
  );
});

test('an OSS signature covers every part of the request', () => {
  const scope = { timestamp: '20231216T162057Z', region: 'cn-hangzhou', product: 'oss', additionalHeaders: [] };
  const sign = (parts: Partial<SignedParts>, secret = 'sk') => ossV4Signature(secret, { ...V4_PARTS, ...parts }, scope);
  const variants = [
    sign({}),
    sign({}, 'another'),
    sign({ method: 'GET' }),
    sign({ bucket: 'other' }),
    sign({ key: 'other' }),
    sign({ query: new Map([['param1', 'other']]) }),
    sign({ headers: { ...V4_PARTS.headers, 'x-oss-head1': 'other' } }),
    sign({ headers: { ...V4_PARTS.headers, 'content-type': 'other' } }),
  ];
  expect(new Set(variants).size).toBe(variants.length);
});

const AMAZON_SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const AMAZON_VECTORS = [
  ['GET', 'photos/puppy.jpg', 'Tue, 27 Mar 2007 19:36:42 +0000', [], {}, 'qgk2+6Sv9/oM7G3qLEjTH1a1l1g='],
  [
    'PUT',
    'photos/puppy.jpg',
    'Tue, 27 Mar 2007 21:15:45 +0000',
    [],
    { 'content-type': 'image/jpeg' },
    'iqRzw+ileNPu1fhspnRs8nOjjIA=',
  ],
  [
    'GET',
    '',
    'Tue, 27 Mar 2007 19:42:41 +0000',
    [
      ['prefix', 'photos'],
      ['max-keys', '50'],
      ['marker', 'puppy'],
    ],
    {},
    'm0WP8eCtspQl5Ahe6L1SozdX9YA=',
  ],
  ['GET', '', 'Tue, 27 Mar 2007 19:44:46 +0000', [['acl', '']], {}, '82ZHiFIjc+WbcwFKGUVEQspPn+0='],
] as const;

test.each(AMAZON_VECTORS)('the formula that OBS shares gives the published vector: %s %s at %s', (...vector) => {
  const [method, rawKey, date, query, headers, signature] = vector;
  const parts = { method, bucket: 'awsexamplebucket1', rawKey, query: new Map(query), headers: { ...headers, date } };
  expect(obsSignature(AMAZON_SECRET, parts, 'x-amz-')).toBe(signature);
});
