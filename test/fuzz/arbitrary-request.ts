// Requests to throw at a gateway: signed ones that reach every operation with values nobody sends, and bytes that are
// hardly requests at all.
import fc from 'fast-check';
import { type ArbitraryBody, arbitraryBody } from './arbitrary-body.ts';

export interface SoundRequest {
  readonly kind: 'sound';
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly signed: boolean;
  /** The body goes chunk by chunk, without a length. */
  readonly chunked: boolean;
}

/** A sound request, cut, repeated and overwritten. */
interface BrokenRequest {
  readonly kind: 'broken';
  readonly of: readonly SoundRequest[];
  readonly damage: readonly Damage[];
}

type Damage =
  | { readonly at: number; readonly insert: string }
  | { readonly at: number; readonly cut: number }
  | { readonly at: number; readonly flip: number };

export type ArbitraryRequest = SoundRequest | BrokenRequest;

const PARAMETERS = [
  'acl abac accelerate analytics cors delete encryption inventory lifecycle location logging metrics notification',
  'object-lock ownershipControls policy policyStatus publicAccessBlock replication requestPayment session tagging',
  'uploads versioning versions website attributes legal-hold renameObject restore retention select torrent uploadId',
  'partNumber versionId list-type prefix delimiter marker max-keys continuation-token start-after fetch-owner',
  'encoding-type key-marker upload-id-marker version-id-marker max-uploads max-parts part-number-marker max-buckets',
  'response-content-type response-expires response-cache-control x-id X-Amz-Expires X-Amz-Signature X-Amz-Algorithm',
  'X-Amz-Credential X-Amz-Date X-Amz-SignedHeaders AWSAccessKeyId Signature Expires nobody-knows',
].flatMap((names) => names.split(' '));

const HEADERS = [
  'content-md5 content-type content-encoding content-disposition cache-control content-language expires range if-range',
  'if-match if-none-match if-modified-since if-unmodified-since expect origin access-control-request-method',
  'access-control-request-headers x-amz-acl x-amz-tagging x-amz-tagging-directive x-amz-metadata-directive',
  'x-amz-copy-source x-amz-copy-source-range x-amz-copy-source-if-match x-amz-storage-class x-amz-checksum-mode',
  'x-amz-checksum-crc32 x-amz-checksum-crc32c x-amz-checksum-sha1 x-amz-checksum-sha256 x-amz-checksum-crc64nvme',
  'x-amz-checksum-algorithm x-amz-checksum-type x-amz-sdk-checksum-algorithm x-amz-trailer x-amz-mp-object-size',
  'x-amz-object-attributes x-amz-max-parts x-amz-part-number-marker x-amz-expected-bucket-owner x-amz-request-payer',
  'x-amz-if-match-size x-amz-if-match-last-modified-time x-amz-meta-a x-amz-bypass-governance-retention',
  'x-amz-server-side-encryption x-amz-object-lock-mode x-amz-grant-read x-amz-website-redirect-location',
  'x-amz-decoded-content-length x-amz-content-sha256 x-amz-security-token x-amz-mfa te upgrade',
].flatMap((names) => names.split(' '));

/** What is right somewhere, and what is right nowhere. */
const value = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: 'binary-ascii', maxLength: 20 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 10 }) },
  {
    weight: 8,
    arbitrary: fc.constantFrom(
      ...[
        '',
        '0',
        '1',
        '2',
        '-1',
        '1000',
        '10000',
        '10001',
        '99999999999999999999',
        'true',
        'url',
        '/',
        '//',
        '*',
        '"*"',
      ],
      ...['bytes=0-', 'bytes=5-2', 'bytes=-0', 'bytes=0-0,2-3', 'null', 'private', 'public-read', 'COPY', 'REPLACE'],
      ...['ENABLED', 'CRC32', 'SHA256', 'COMPOSITE', 'FULL_OBJECT', 'STANDARD', 'GLACIER', '/fuzz/key-1', 'fuzz/key-1'],
      ...['/fuzz/key-1?versionId=null', 'a=b&c=d', 'a=b&a=c', 'Thu, 01 Jan 1970 00:00:00 GMT', '2026-01-01T00:00:00Z'],
      ...[
        'AAAAAA==',
        '1B2M2Y8AsgTpgAmY7PhCfg==',
        '""',
        'W/"a"',
        '"d41d8cd98f00b204e9800998ecf8427e"',
        'GET',
        '100-continue',
      ],
      ...['ETag,ObjectParts', 'UNSIGNED-PAYLOAD', '\u00e9', '%00', '%', '%FF', '..', '\u{1f600}'],
    ),
  },
);

const method = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom('GET', 'HEAD', 'PUT', 'POST', 'DELETE') },
  { weight: 1, arbitrary: fc.constantFrom('OPTIONS', 'PATCH', 'TRACE', 'PROPFIND', 'LINK') },
);

const keyName = fc.oneof(
  fc.constantFrom(
    'key-1',
    'key-2',
    'dir/',
    'dir/a',
    '..',
    '.',
    'a//b',
    '%00',
    '%2F',
    '%2e%2e',
    '%ff',
    '%',
    ' '.trim(),
    'x'.repeat(1025),
  ),
  fc.string({ unit: 'grapheme', maxLength: 12 }).map(safely),
);
const path = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom('/', '', '//', '/.', '/%', '/a', '/UPPER', '/xn--x') },
  { weight: 3, arbitrary: fc.constantFrom('/fuzz', '/fuzz/', '/fuzz-two', '/no-such-bucket') },
  { weight: 6, arbitrary: keyName.map((key) => `/fuzz/${key}`) },
);
const anyQuery = fc
  .array(fc.tuple(fc.constantFrom(...PARAMETERS), fc.option(value)), { maxLength: 3 })
  .map((pairs) => pairs.map(([name, text]) => (text === null ? name : `${name}=${safely(text)}`)).join('&'));
/** Parameters that belong together, so that more than their names is looked at. */
const fittingQuery = fc
  .tuple(
    fc.constantFrom(
      'list-type=2',
      'versions',
      'uploads',
      'delete',
      'cors',
      'tagging',
      'attributes',
      'acl',
      'versioning',
      '',
    ),
    fc.constantFrom(
      'prefix',
      'delimiter',
      'max-keys',
      'start-after',
      'key-marker',
      'encoding-type',
      'versionId',
      'x-id',
    ),
    value,
  )
  .map(([subresource, name, text]) => `${subresource}&${name}=${safely(text)}`);
const query = fc.oneof(fc.constant(''), anyQuery, fittingQuery);
const headers = fc
  .array(fc.tuple(fc.constantFrom(...HEADERS), value), { maxLength: 4 })
  .map((pairs) => Object.fromEntries(pairs.map(([name, text]) => [name, asHeader(text)])));

const sound: fc.Arbitrary<SoundRequest> = fc
  .record({
    method,
    path,
    query,
    headers,
    body: arbitraryBody,
    signed: fc.oneof({ weight: 9, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
    chunked: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  })
  .map((parts) => soundRequest(parts));

function soundRequest(parts: {
  method: string;
  path: string;
  query: string;
  headers: Record<string, string>;
  body: ArbitraryBody;
  signed: boolean;
  chunked: boolean;
}): SoundRequest {
  return {
    kind: 'sound',
    method: parts.method,
    path: parts.query === '' ? parts.path || '/' : `${parts.path || '/'}?${parts.query}`,
    headers: { ...parts.headers, ...parts.body.headers },
    body: parts.body.bytes,
    signed: parts.signed,
    chunked: parts.chunked,
  };
}

/** Answers to HEAD look like the beginnings of others; of bytes that were damaged nobody knows which they are. */
function withBody(request: SoundRequest): SoundRequest {
  return request.method === 'HEAD' ? { ...request, method: 'GET' } : request;
}

const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({
    at: fc.nat(3_000),
    insert: fc.oneof(
      fc.string({ unit: 'binary-ascii', maxLength: 8 }),
      fc.constantFrom('\r\n', '\n', '\0', '\r\n\r\n', ': '),
    ),
  }),
  fc.record({ at: fc.nat(3_000), cut: fc.nat(500) }),
  fc.record({ at: fc.nat(3_000), flip: fc.integer({ min: 1, max: 255 }) }),
);

export const arbitraryRequest: fc.Arbitrary<ArbitraryRequest> = fc.oneof(
  { weight: 7, arbitrary: sound },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('broken' as const),
      of: fc.array(sound.map(withBody), { minLength: 1, maxLength: 3 }),
      damage: fc.array(damage, { maxLength: 4 }),
    }),
  },
);

export function damaged(bytes: Buffer, all: readonly Damage[]): Buffer {
  return all.reduce((text, one) => {
    const at = one.at % (text.length + 1);
    if ('insert' in one)
      return Buffer.concat([text.subarray(0, at), Buffer.from(one.insert, 'latin1'), text.subarray(at)]);
    if ('cut' in one) return Buffer.concat([text.subarray(0, at), text.subarray(at + one.cut)]);
    const flipped = Buffer.from(text);
    if (at < flipped.length) flipped[at] = (flipped[at] ?? 0) ^ one.flip;
    return flipped;
  }, bytes);
}

/** Percent-encoded where a request line could not hold it; what is encoded already stays. */
function safely(text: string): string {
  return !/[\ud800-\udfff]/u.test(text)
    ? text.replace(/[^!$'()*+,\-./0-9:;=@A-Z_a-z~%]/gu, (one) => encodeURIComponent(one))
    : '%';
}

/** As bytes that a header may have; what else there is gets lost. */
function asHeader(text: string): string {
  return Buffer.from(text, 'utf8')
    .toString('latin1')
    .replace(/[^\x20-\x7e\x80-\xff]/g, '')
    .trim();
}
