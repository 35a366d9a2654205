// Who a request is from, and every way a signature is refused.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Authenticator } from '../../../src/s3/auth/authenticate.ts';
import { type Credential, credentialList } from '../../../src/s3/auth/credentials.ts';
import type { S3Error, S3ErrorCode } from '../../../src/s3/errors.ts';
import type { S3Request } from '../../../src/s3/request.ts';
import { ACCESS_KEY_ID, EXAMPLE_NOW, presigned, received, SECRET_ACCESS_KEY, signedInHeader } from './signer.ts';

const MINUTE_MS = 60_000;
const READER = { name: 'reader', account: 'ml', accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET_ACCESS_KEY };

function authenticator(
  options: { now?: Date; region?: string; credentials?: Credential[] } = {},
): Pick<Authenticator, 'authenticate'> {
  return new Authenticator(
    { credentials: credentialList(options.credentials ?? [READER]), now: () => options.now ?? EXAMPLE_NOW },
    { anonymous: [{ allow: ['read'], buckets: ['public'] }], maxSkewMs: 15 * MINUTE_MS, region: options.region },
  );
}

function refusal(request: S3Request, by = authenticator()): S3Error {
  try {
    by.authenticate(request);
  } catch (error) {
    return error as S3Error;
  }
  throw new Error('The request was accepted.');
}

function later(ms: number): Date {
  return new Date(EXAMPLE_NOW.getTime() + ms);
}

describe('who it is', () => {
  test("a signed request is its key's: name, account and rules", () => {
    const rules = [{ allow: ['read'], buckets: ['models'] }] as const;
    const by = authenticator({ credentials: [{ ...READER, rules }] });
    for (const request of [signedInHeader({}), presigned({})]) {
      expect(by.authenticate(request).identity).toEqual({
        anonymous: false,
        name: 'reader',
        account: 'ml',
        accessKeyId: ACCESS_KEY_ID,
        rules,
      });
    }
  });

  test('an unsigned request is nobody, with the rules for nobody; an empty Authorization header is none', () => {
    for (const headers of [{}, { authorization: '' }]) {
      expect(authenticator().authenticate(received({ headers }))).toEqual({
        identity: {
          anonymous: true,
          name: 'anonymous',
          account: undefined,
          accessKeyId: undefined,
          rules: [{ allow: ['read'], buckets: ['public'] }],
        },
        payload: { kind: 'unsigned' },
      });
    }
  });

  test('a key whose secret was changed signs with the new one only', () => {
    const credentials = new Map([[ACCESS_KEY_ID, READER]]);
    const by = new Authenticator(
      { credentials: { find: (id) => credentials.get(id) }, now: () => EXAMPLE_NOW },
      { anonymous: [], maxSkewMs: 0 },
    );
    by.authenticate(signedInHeader({}));
    credentials.set(ACCESS_KEY_ID, { ...READER, secretAccessKey: 'another secret' });
    expect(refusal(signedInHeader({}), by).code).toBe('SignatureDoesNotMatch');
    expect(by.authenticate(signedInHeader({}, { secret: 'another secret' })).identity.name).toBe('reader');
    credentials.delete(ACCESS_KEY_ID);
    expect(refusal(signedInHeader({}), by).code).toBe('InvalidAccessKeyId');
  });
});

describe('what is signed', () => {
  const pathText = fc
    .array(fc.constantFrom('a', 'B', '/', '//', '.', '..', ' ', '+', '%', '?', '~', "!'()*", 'é', '日', '😀', '\u0001'))
    .map((parts) => `/${parts.join('')}`);
  const encodedPath = pathText.map((text) => text.split('/').map(encodeURIComponent).join('/'));
  const pairs = fc.array(
    fc.tuple(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }),
      fc.string({ unit: 'grapheme', maxLength: 8 }),
    ),
    { maxLength: 6 },
  );
  const value = fc.string({ unit: fc.constantFrom('a', 'Z', ' ', '  ', ',', ';', 'à', 'é', '€', '😀') });

  test('any path, query and header values, signed by their sender, are accepted as they arrive', () => {
    const by = authenticator();
    fc.assert(
      fc.property(encodedPath, pairs, value, fc.constantFrom('GET', 'PUT'), (path, query, text, method) => {
        const request = { path, query, method, headers: { 'x-amz-meta-text': text } };
        // What a socket delivers has no blanks at its ends.
        const trimmed = { ...request, headers: { 'x-amz-meta-text': text.trim() } };
        expect(by.authenticate(signedInHeader(trimmed)).identity.anonymous).toBe(false);
        expect(by.authenticate(presigned(trimmed)).identity.anonymous).toBe(false);
      }),
    );
  });

  test('a change to the method, the path, the query or a signed header is refused', () => {
    const base = { path: '/bucket/key', query: [['prefix', 'a']] as const, headers: { 'x-amz-acl': 'private' } };
    for (const request of [signedInHeader(base), presigned(base)]) {
      const changes: S3Request[] = [
        { ...request, method: 'DELETE' },
        { ...request, rawPath: '/bucket/key2' },
        { ...request, rawPath: '/bucket//key' },
        { ...request, query: [...request.query, ['versionId', '1']] },
        { ...request, query: request.query.filter(([name]) => name !== 'prefix') },
        { ...request, headers: { ...request.headers, 'x-amz-acl': 'public-read' } },
        { ...request, headers: { ...request.headers, host: 'other.example.com' } },
      ];
      expect(changes.map((change) => refusal(change).code)).toEqual(changes.map(() => 'SignatureDoesNotMatch'));
    }
  });

  test('any other signature than the right one is refused, of whatever length or letters', () => {
    const request = signedInHeader({});
    const authorization = request.headers.authorization ?? '';
    const signature = fc.oneof(
      fc.string({ unit: fc.constantFrom(...'0123456789abcdef') }),
      fc.string({ minLength: 1 }),
    );
    fc.assert(
      fc.property(signature, (forged) => {
        const header = `${authorization.slice(0, -64)}${forged}`;
        const code = refusal({ ...request, headers: { ...request.headers, authorization: header } }).code;
        expect(['SignatureDoesNotMatch', 'AuthorizationHeaderMalformed']).toContain(code);
      }),
    );
    const upper = `${authorization.slice(0, -64)}${authorization.slice(-64).toUpperCase()}`;
    expect(refusal({ ...request, headers: { ...request.headers, authorization: upper } }).code).toBe(
      'SignatureDoesNotMatch',
    );
  });

  test('the path counts as sent, or as S3 would have escaped it', () => {
    const by = authenticator();
    const sent = '/bucket/a(b)%2fc+d~';
    for (const path of [sent, '/bucket/a%28b%29%2Fc%2Bd~']) {
      expect(by.authenticate(signedInHeader({ path: sent }, { canonical: { path } })).identity.name).toBe('reader');
    }
    for (const path of ['/bucket/a(b)/c+d~', '/bucket/a%28b%29%2Fc%20d~']) {
      expect(refusal(signedInHeader({ path: sent }, { canonical: { path } })).code, path).toBe('SignatureDoesNotMatch');
    }
  });

  test('a path that is not UTF-8 counts as sent only', () => {
    const by = authenticator();
    expect(by.authenticate(signedInHeader({ path: '/bucket/%FF' })).identity.name).toBe('reader');
    const replaced = signedInHeader({ path: '/bucket/%FF' }, { canonical: { path: '/bucket/%EF%BF%BD' } });
    expect(refusal(replaced).code).toBe('SignatureDoesNotMatch');
    const raw = signedInHeader({ path: '/bucket/\xff' }, { canonical: { path: '/bucket/%EF%BF%BD' } });
    expect(refusal(raw).code).toBe('SignatureDoesNotMatch');
    const utf8 = Buffer.from('/bucket/日').toString('latin1');
    const escaped = signedInHeader({ path: utf8 }, { canonical: { path: encodeURI('/bucket/日') } });
    expect(by.authenticate(escaped).identity.name).toBe('reader');
  });

  test('parameters are ordered by name before value, though "=" sorts behind "-"', () => {
    const query = [
      ['a-b', '1'],
      ['a', '2'],
      ['a', '1'],
    ] as const;
    expect(authenticator().authenticate(signedInHeader({ query })).identity.name).toBe('reader');
  });

  test('trap 10: a host may be signed without the port it was sent with, never as another host', () => {
    const sent = { headers: { host: 's3.example.com:9000' } };
    const by = authenticator();
    expect(by.authenticate(signedInHeader(sent)).identity.name).toBe('reader');
    expect(by.authenticate(signedInHeader(sent, { canonical: { host: 's3.example.com' } })).identity.name).toBe(
      'reader',
    );
    for (const host of ['s3.example.com:9001', 's3.example.org', '']) {
      expect(refusal(signedInHeader(sent, { canonical: { host } })).code, host).toBe('SignatureDoesNotMatch');
    }
  });

  test("S3's own headers and the host have to be signed where they are sent", () => {
    const headers = { host: 's3.example.com', 'x-amz-acl': 'private', range: 'bytes=0-1' };
    const inHeader = signedInHeader({ headers }, { signedHeaders: ['x-amz-date', 'x-amz-content-sha256', 'host'] });
    const inQuery = presigned({ headers }, { signedHeaders: ['range'] });
    expect(refusal(inHeader)).toMatchObject({ code: 'AccessDenied', details: { HeadersNotSigned: 'x-amz-acl' } });
    expect(refusal(inQuery)).toMatchObject({ code: 'AccessDenied', details: { HeadersNotSigned: 'host, x-amz-acl' } });
  });

  test('a header that was signed but did not arrive is refused', () => {
    const request = signedInHeader({ headers: { range: 'bytes=0-1' } });
    expect(refusal({ ...request, headers: { ...request.headers, range: undefined } }).code).toBe(
      'SignatureDoesNotMatch',
    );
  });

  test('trap 11: any region is accepted, the empty one too, unless one is required', () => {
    for (const region of ['us-east-1', 'garage', '']) {
      expect(authenticator().authenticate(signedInHeader({}, { region })).identity.name).toBe('reader');
    }
    expect(refusal(signedInHeader({}, { region: 'garage' }), authenticator({ region: 'eu-west-1' }))).toMatchObject({
      code: 'AuthorizationHeaderMalformed',
      details: { Region: 'eu-west-1' },
    });
    authenticator({ region: 'garage' }).authenticate(signedInHeader({}, { region: 'garage' }));
  });

  test('a mismatch tells the client what was hashed here, to compare', () => {
    const { details } = refusal(signedInHeader({ path: '/b/k' }, { secret: 'wrong secret' }));
    expect(details.CanonicalRequest?.split('\n').slice(0, 3)).toEqual(['GET', '/b/k', '']);
    expect(details.StringToSign).toMatch(
      /^AWS4-HMAC-SHA256\n20130524T000000Z\n20130524\/us-east-1\/s3\/aws4_request\n/,
    );
    expect(Buffer.from((details.StringToSignBytes ?? '').replaceAll(' ', ''), 'hex').toString()).toBe(
      details.StringToSign,
    );
    expect(details).toMatchObject({ AWSAccessKeyId: ACCESS_KEY_ID });
    expect(JSON.stringify(details)).not.toContain(SECRET_ACCESS_KEY);
  });
});

describe('time', () => {
  test('a signature in the header is good for the skew either way, and not a millisecond longer', () => {
    for (const ms of [-15 * MINUTE_MS, 0, 15 * MINUTE_MS]) {
      expect(authenticator({ now: later(ms) }).authenticate(signedInHeader({})).identity.name).toBe('reader');
    }
    for (const ms of [-15 * MINUTE_MS - 1, 15 * MINUTE_MS + 1]) {
      expect(refusal(signedInHeader({}), authenticator({ now: later(ms) }))).toMatchObject({
        code: 'RequestTimeTooSkewed',
        details: { RequestTime: '20130524T000000Z', MaxAllowedSkewMilliseconds: '900000' },
      });
    }
  });

  test('a presigned URL is good until it expires, and not before its time', () => {
    const url = presigned({}, { overrides: { 'X-Amz-Expires': '60' } });
    for (const ms of [-15 * MINUTE_MS, 0, 60_000]) {
      expect(authenticator({ now: later(ms) }).authenticate(url).identity.name).toBe('reader');
    }
    expect(refusal(url, authenticator({ now: later(60_001) }))).toMatchObject({
      code: 'AccessDenied',
      message: 'Request has expired',
      details: { Expires: '2013-05-24T00:01:00.000Z', 'X-Amz-Expires': '60' },
    });
    expect(refusal(url, authenticator({ now: later(-15 * MINUTE_MS - 1) }))).toMatchObject({
      code: 'AccessDenied',
      message: 'Request is not valid yet',
    });
  });

  test('trap 11: an expiry is a number of seconds up to a week; none at all has expired already', () => {
    const codes: Record<string, S3ErrorCode> = {
      '0': 'AccessDenied',
      '-1': 'AuthorizationQueryParametersError',
      '604801': 'AuthorizationQueryParametersError',
      '1e3': 'AuthorizationQueryParametersError',
      soon: 'AuthorizationQueryParametersError',
    };
    for (const [expires, code] of Object.entries(codes)) {
      const url = presigned({}, { overrides: { 'X-Amz-Expires': expires } });
      expect(refusal(url, authenticator({ now: later(-MINUTE_MS) })).code, expires).toBe(code);
    }
    authenticator().authenticate(presigned({}, { overrides: { 'X-Amz-Expires': '604800' } }));
  });

  test('a Date header tells the time where x-amz-date is absent', () => {
    for (const date of ['Fri, 24 May 2013 00:00:00 GMT', '20130524T000000Z']) {
      const signedHeaders = ['date', 'host', 'x-amz-content-sha256'];
      const request = signedInHeader({ headers: { date } }, { signedHeaders });
      const headers = { ...request.headers, 'x-amz-date': undefined };
      delete (headers as Record<string, unknown>)['x-amz-date'];
      expect(authenticator().authenticate({ ...request, headers }).identity.name).toBe('reader');
    }
  });

  test('a time that is none is refused', () => {
    for (const date of [
      '',
      'today',
      '2013-05-24T00:00:00Z',
      '20130532T000000Z',
      '20130524T240000Z',
      '99999999T999999Z',
    ]) {
      const request = signedInHeader({ headers: { 'x-amz-date': date } });
      expect(refusal(request), date).toMatchObject({
        code: 'AccessDenied',
        message: 'AWS authentication requires a valid Date or x-amz-date header',
      });
    }
    const url = presigned({}, { overrides: { 'X-Amz-Date': 'today' } });
    expect(refusal(url).code).toBe('AuthorizationQueryParametersError');
  });

  test("a scope of another day than the request's is refused", () => {
    const yesterday = signedInHeader({ headers: { 'x-amz-date': '20130523T235900Z' } });
    expect(refusal(yesterday)).toMatchObject({
      code: 'SignatureDoesNotMatch',
      message: expect.stringContaining("'20130524' != '20130523'"),
    });
  });
});

describe('what is malformed', () => {
  const credential = `${ACCESS_KEY_ID}/20130524/us-east-1/s3/aws4_request`;
  const rest = `SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=${'0'.repeat(64)}`;

  function withAuthorization(authorization: string): S3Request {
    return received({
      headers: { 'x-amz-date': '20130524T000000Z', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', authorization },
    });
  }

  const HEADERS: Record<string, S3ErrorCode> = {
    [`AWS4-HMAC-SHA256 Credential=${credential}, ${rest}`]: 'SignatureDoesNotMatch',
    [`AWS4-HMAC-SHA256 Credential=${credential},${rest.replace(', ', ',')}`]: 'SignatureDoesNotMatch',
    [`AWS4-HMAC-SHA256 Credential=${credential.replace(ACCESS_KEY_ID, 'NOBODY')}, ${rest}`]: 'InvalidAccessKeyId',
    [`AWS4-HMAC-SHA256 ${rest}`]: 'AuthorizationHeaderMalformed',
    [`AWS4-HMAC-SHA256 Credential=${credential}`]: 'AuthorizationHeaderMalformed',
    [`AWS4-HMAC-SHA256 Credential=${credential}, Credential=${credential}, ${rest}`]: 'AuthorizationHeaderMalformed',
    [`AWS4-HMAC-SHA256 Credential=us-east-1/s3/aws4_request, ${rest}`]: 'AuthorizationHeaderMalformed',
    [`AWS4-HMAC-SHA256 Credential=${credential.replace('s3', 'ec2')}, ${rest}`]: 'AuthorizationHeaderMalformed',
    [`AWS4-HMAC-SHA256 Credential=${credential.replace('aws4', 'aws5')}, ${rest}`]: 'AuthorizationHeaderMalformed',
    'AWS4-HMAC-SHA256 ': 'AuthorizationHeaderMalformed',
    'AWS4-HMAC-SHA256': 'InvalidArgument',
    'Bearer token': 'InvalidArgument',
    'AWS AKIAIOSFODNN7EXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg=': 'InvalidRequest',
  };

  for (const [header, code] of Object.entries(HEADERS)) {
    test(`${code} for '${header.slice(0, 70)}'`, () => {
      expect(refusal(withAuthorization(header)).code).toBe(code);
    });
  }

  test('an Authorization header of any text is answered with an S3 error or a signature mismatch, never a crash', () => {
    const junk = fc.oneof(
      fc.string().map((text) => `AWS4-HMAC-SHA256 ${text}`),
      fc.string({ minLength: 1 }),
      fc.tuple(fc.string(), fc.string(), fc.string()).map(([one, two, three]) => {
        return `AWS4-HMAC-SHA256 Credential=${one}, SignedHeaders=${two}, Signature=${three}`;
      }),
    );
    fc.assert(
      fc.property(junk, (header) => {
        expect(refusal(withAuthorization(header)).name).toBe('S3Error');
      }),
    );
  });

  test('a presigned URL lacking a parameter, or having one twice, is refused', () => {
    for (const name of ['X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Date', 'X-Amz-Expires', 'X-Amz-SignedHeaders']) {
      const without = presigned({}, { overrides: { [name]: undefined } });
      const twice = presigned({ query: [[name, 'x']] });
      expect(refusal(without).code, name).toBe('AuthorizationQueryParametersError');
      expect(refusal(twice).code, name).toBe('AuthorizationQueryParametersError');
    }
    const url = presigned({});
    const unsigned = { ...url, query: url.query.filter(([name]) => name !== 'X-Amz-Signature') };
    expect(refusal(unsigned).code).toBe('AuthorizationQueryParametersError');
  });

  test('trap 8: SigV2 in the query is refused with the way out', () => {
    const query = [
      ['AWSAccessKeyId', ACCESS_KEY_ID],
      ['Expires', '1'],
      ['Signature', 'x'],
    ] as const;
    expect(refusal(received({ query }))).toMatchObject({
      code: 'InvalidRequest',
      message: expect.stringContaining('Please use AWS4-HMAC-SHA256'),
    });
  });

  test('two ways of signing at once are refused', () => {
    const url = presigned({});
    const header = signedInHeader({}).headers.authorization;
    expect(refusal({ ...url, headers: { ...url.headers, authorization: header } }).code).toBe('InvalidArgument');
    expect(refusal({ ...url, query: [...url.query, ['AWSAccessKeyId', 'x']] }).code).toBe('InvalidArgument');
  });
});

describe('what a request says of its payload', () => {
  const sha256 = 'a'.repeat(64);

  function payloadOf(word: string) {
    return authenticator().authenticate(signedInHeader({ headers: { 'x-amz-content-sha256': word } })).payload;
  }

  test('each of the spellings of x-amz-content-sha256', () => {
    const seed = expect.objectContaining({ timestamp: '20130524T000000Z' });
    expect(payloadOf(sha256)).toEqual({ kind: 'single', sha256: Buffer.from(sha256, 'hex') });
    expect(payloadOf('UNSIGNED-PAYLOAD')).toEqual({ kind: 'unsigned' });
    expect(payloadOf('STREAMING-UNSIGNED-PAYLOAD-TRAILER')).toEqual({ kind: 'streaming', trailer: true });
    expect(payloadOf('STREAMING-AWS4-HMAC-SHA256-PAYLOAD')).toEqual({ kind: 'streaming', seed, trailer: false });
    expect(payloadOf('STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER')).toEqual({ kind: 'streaming', seed, trailer: true });
  });

  test('anything else is refused', () => {
    const refused = (word: string) => refusal(signedInHeader({ headers: { 'x-amz-content-sha256': word } })).code;
    expect(refused('')).toBe('InvalidArgument');
    expect(refused('invalid-payload-checksum')).toBe('InvalidArgument');
    expect(refused('STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD')).toBe('NotImplemented');
  });

  test('a signed request without it is refused', () => {
    const request = signedInHeader({}, { signedHeaders: ['host', 'x-amz-date'] });
    const { 'x-amz-content-sha256': _, ...headers } = request.headers;
    expect(refusal({ ...request, headers })).toMatchObject({
      code: 'InvalidRequest',
      message: 'Missing required header for this request: x-amz-content-sha256',
    });
  });

  test('a presigned URL has the payload it was signed for', () => {
    const url = presigned({}, { overrides: { 'X-Amz-Content-Sha256': sha256 } });
    expect(authenticator().authenticate(url).payload.kind).toBe('single');
    expect(authenticator().authenticate(presigned({})).payload.kind).toBe('unsigned');
  });

  test('an unsigned request may have a hash or an unsigned trailer, not signed chunks', () => {
    const unsigned = (word: string) => received({ headers: { 'x-amz-content-sha256': word } });
    expect(authenticator().authenticate(unsigned(sha256)).payload.kind).toBe('single');
    expect(authenticator().authenticate(unsigned('STREAMING-UNSIGNED-PAYLOAD-TRAILER')).payload.kind).toBe('streaming');
    expect(refusal(unsigned('STREAMING-AWS4-HMAC-SHA256-PAYLOAD')).code).toBe('InvalidRequest');
  });
});
