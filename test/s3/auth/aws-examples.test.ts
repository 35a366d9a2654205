// AWS's published worked examples, as data: the values are theirs.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, sigv4-query-string-auth.html,
// sigv4-streaming.html, sigv4-streaming-trailers.html; and the general SigV4 test suite (service 'service').
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { Authenticator } from '../../../src/s3/auth/authenticate.ts';
import { credentialList } from '../../../src/s3/auth/credentials.ts';
import { hmacHex, hmacKey } from '../../../src/s3/auth/hmac.ts';
import { deriveSigningKey } from '../../../src/s3/auth/signing-keys.ts';
import { canonicalQuery, canonicalRequest, stringToSign } from '../../../src/s3/auth/sigv4.ts';
import { openUploadBody } from '../../../src/s3/body/upload-body.ts';
import { ACCESS_KEY_ID, EMPTY_SHA256, EXAMPLE_NOW, EXAMPLE_TIME, received, SECRET_ACCESS_KEY } from './signer.ts';

const CREDENTIAL = {
  name: 'example',
  account: 'example',
  accessKeyId: ACCESS_KEY_ID,
  secretAccessKey: SECRET_ACCESS_KEY,
};
const SCOPE = '20130524/us-east-1/s3/aws4_request';

const authenticator = new Authenticator(
  { credentials: credentialList([CREDENTIAL]), now: () => EXAMPLE_NOW },
  { anonymous: [], maxSkewMs: 900_000 },
);

interface Example {
  readonly method: string;
  readonly path: string;
  readonly query?: readonly (readonly [string, string])[];
  readonly headers: Readonly<Record<string, string>>;
  readonly signature: string;
}

const host = 'examplebucket.s3.amazonaws.com';
const date = { 'x-amz-date': EXAMPLE_TIME };

const HEADER_EXAMPLES: Record<string, Example> = {
  'GET Object with a range': {
    method: 'GET',
    path: '/test.txt',
    headers: { host, range: 'bytes=0-9', 'x-amz-content-sha256': EMPTY_SHA256, ...date },
    signature: 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  },
  'PUT Object': {
    method: 'PUT',
    path: '/test$file.text',
    headers: {
      date: 'Fri, 24 May 2013 00:00:00 GMT',
      host,
      'x-amz-content-sha256': '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
      ...date,
      'x-amz-storage-class': 'REDUCED_REDUNDANCY',
    },
    signature: '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  },
  'GET Bucket lifecycle': {
    method: 'GET',
    path: '/',
    query: [['lifecycle', '']],
    headers: { host, 'x-amz-content-sha256': EMPTY_SHA256, ...date },
    signature: 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
  },
  'GET Bucket (list objects)': {
    method: 'GET',
    path: '/',
    query: [
      ['max-keys', '2'],
      ['prefix', 'J'],
    ],
    headers: { host, 'x-amz-content-sha256': EMPTY_SHA256, ...date },
    signature: '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  },
};

function authorised({ headers, signature, ...rest }: Example, body?: Readable) {
  const names = Object.keys(headers).sort().join(';');
  const authorization = `AWS4-HMAC-SHA256 Credential=${ACCESS_KEY_ID}/${SCOPE},SignedHeaders=${names},Signature=${signature}`;
  return received({ ...rest, headers: { ...headers, authorization }, ...(body && { body }) });
}

describe('signatures in the Authorization header', () => {
  for (const [name, example] of Object.entries(HEADER_EXAMPLES)) {
    test(name, () => {
      expect(authenticator.authenticate(authorised(example)).identity.accessKeyId).toBe(ACCESS_KEY_ID);
      const forged = { ...example, signature: example.signature.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) };
      expect(() => authenticator.authenticate(authorised(forged))).toThrow(
        expect.objectContaining({ code: 'SignatureDoesNotMatch' }),
      );
    });
  }
});

test('a presigned GET', () => {
  const query = [
    ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
    ['X-Amz-Credential', `${ACCESS_KEY_ID}/${SCOPE}`],
    ['X-Amz-Date', EXAMPLE_TIME],
    ['X-Amz-Expires', '86400'],
    ['X-Amz-SignedHeaders', 'host'],
    ['X-Amz-Signature', 'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404'],
  ] as const;
  const request = received({ path: '/test.txt', query, headers: { host } });
  expect(authenticator.authenticate(request)).toMatchObject({
    identity: { accessKeyId: ACCESS_KEY_ID },
    payload: { kind: 'unsigned' },
  });
});

const CHUNKED = {
  method: 'PUT',
  path: '/examplebucket/chunkObject.txt',
  headers: {
    'content-encoding': 'aws-chunked',
    host: 's3.amazonaws.com',
    ...date,
    'x-amz-decoded-content-length': '66560',
    'x-amz-storage-class': 'REDUCED_REDUNDANCY',
  },
};

async function decoded(example: Example, body: string): Promise<Buffer> {
  const request = authorised(example, Readable.from([Buffer.from(body)]));
  const upload = openUploadBody(request, authenticator.authenticate(request).payload, {
    wantsMd5: false,
    maxBytes: 1 << 20,
  });
  return Buffer.concat(await upload.stream.toArray());
}

test('a body in signed chunks of 64 KiB, 1 KiB and nothing', async () => {
  const example = {
    ...CHUNKED,
    headers: {
      ...CHUNKED.headers,
      'content-length': '66824',
      'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    },
    signature: '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
  };
  const body =
    `10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n${'a'.repeat(65536)}\r\n` +
    `400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n${'a'.repeat(1024)}\r\n` +
    '0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n';
  expect(body).toHaveLength(66824);
  expect((await decoded(example, body)).equals(Buffer.alloc(66560, 'a'))).toBe(true);
});

describe('a body in signed chunks with a signed trailer', () => {
  const example = {
    ...CHUNKED,
    headers: {
      ...CHUNKED.headers,
      'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
      'x-amz-trailer': 'x-amz-checksum-crc32c',
    },
    signature: '106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e',
  };
  const chunks =
    `10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n${'a'.repeat(65536)}\r\n` +
    `400;chunk-signature=1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n${'a'.repeat(1024)}\r\n` +
    '0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n';
  const signature = 'x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n';

  for (const [name, end] of Object.entries({ 'as SDKs write it': '\r\n', "as AWS's page writes it": '\n\r\n' })) {
    test(name, async () => {
      const body = `${chunks}x-amz-checksum-crc32c:sOO8/Q==${end}${signature}`;
      expect((await decoded(example, body)).equals(Buffer.alloc(66560, 'a'))).toBe(true);
    });
  }
});

describe('the general test suite', () => {
  const scope = { date: '20150830', region: 'us-east-1', service: 'service' };
  const key = hmacKey(deriveSigningKey('wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY', scope));
  const base = [
    ['host', 'example.amazonaws.com'],
    ['x-amz-date', '20150830T123600Z'],
  ] as const;
  const unreserved = '-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

  interface Case {
    readonly method?: string;
    readonly path?: string;
    readonly query?: readonly (readonly [string, string])[];
    readonly headers?: readonly (readonly [string, string])[];
    readonly signature: string;
  }

  const CASES: Record<string, Case> = {
    'get-vanilla': { signature: '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31' },
    'get-unreserved': {
      path: `/${unreserved}`,
      signature: '07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f',
    },
    'get-utf8': {
      path: '/%E1%88%B4',
      signature: '8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85',
    },
    'get-vanilla-empty-query-key': {
      query: [['Param1', 'value1']],
      signature: 'a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb',
    },
    'get-vanilla-query-order-key-case': {
      query: [
        ['Param2', 'value2'],
        ['Param1', 'value1'],
      ],
      signature: 'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
    },
    'get-vanilla-query-unreserved': {
      query: [[unreserved, unreserved]],
      signature: '9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197',
    },
    'get-header-value-trim': {
      headers: [
        ['host', 'example.amazonaws.com'],
        ['my-header1', ' value1'],
        ['my-header2', ' "a   b   c"'],
        ...base.slice(1),
      ],
      signature: 'acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736',
    },
    'post-vanilla': {
      method: 'POST',
      signature: '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
    },
    'post-header-key-sort': {
      method: 'POST',
      headers: [['host', 'example.amazonaws.com'], ['my-header1', 'value1'], ...base.slice(1)],
      signature: 'c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c',
    },
  };

  for (const [name, { method = 'GET', path = '/', query = [], headers = base, signature }] of Object.entries(CASES)) {
    test(name, () => {
      const canonical = canonicalRequest({
        method,
        canonicalUri: path,
        canonicalQuery: canonicalQuery(query),
        headers,
        payloadHash: EMPTY_SHA256,
      });
      expect(hmacHex(key, stringToSign('20150830T123600Z', scope, canonical))).toBe(signature);
    });
  }

  test('the signing key of the documentation', () => {
    const iam = deriveSigningKey('wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY', { ...scope, service: 'iam' });
    expect(iam.toString('hex')).toBe('c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9');
  });
});
