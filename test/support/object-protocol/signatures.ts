// The signatures of OSS (V1, V4) and OBS (and with Amazon's names its ancestor, S3's version 2), computed from their
// documented formulas. Independent of every SDK, and pinned by the vendors' published vectors (signatures.test.ts).
// OSS: alibabacloud.com/help/en/oss, "Include a V4 signature in the Authorization header" and "Include signatures".
// OBS: support.huaweicloud.com/intl/en-us/api-obs/obs_04_0010.html, "Authentication of Signature in a Header".
import { createHash, createHmac } from 'node:crypto';

export interface SignedParts {
  readonly method: string;
  readonly bucket?: string | undefined;
  readonly key?: string | undefined;
  /** The key as it stands in the request line, percent-encoded. */
  readonly rawKey?: string | undefined;
  /** Decoded; '' for a name without a value. */
  readonly query: ReadonlyMap<string, string>;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
}

const OSS_V1_SUBRESOURCES = new Set(
  (
    'acl append bucketInfo cname comp continuation-token cors delete encryption endTime expires img inventory ' +
    'inventoryId lifecycle live location logging objectMeta partNumber policy position publicAccessBlock referer ' +
    'regionList replication requestPayment resourceGroup response-cache-control response-content-disposition ' +
    'response-content-encoding response-content-language response-content-type response-expires restore ' +
    'security-token sequential startTime stat status style styleName symlink tagging transferAcceleration uploadId ' +
    'uploads versionId versioning versions vod website worm wormExtend wormId x-oss-ac-forward-allow ' +
    'x-oss-ac-source-ip x-oss-ac-subnet-mask x-oss-ac-vpc-id x-oss-async-process x-oss-process ' +
    'x-oss-request-payer x-oss-traffic-limit'
  ).split(' '),
);

const OBS_SUBRESOURCES = new Set(
  (
    'acl append cors customdomain delete deletebucket encryption inventory lifecycle length location logging ' +
    'metadata modify name notification partNumber policy position quota rename replication requestPayment restore ' +
    'storageClass storageinfo tagging torrent truncate uploadId uploads versionId versioning versions website ' +
    'x-image-process x-obs-security-token response-cache-control response-content-disposition ' +
    'response-content-encoding response-content-language response-content-type response-expires'
  ).split(' '),
);

export function ossV1Signature(secret: string, parts: SignedParts): string {
  const resource = `/${parts.bucket === undefined ? '' : `${parts.bucket}/`}${parts.key ?? ''}`;
  return classic(secret, parts, 'x-oss-', parts.headers.date ?? parts.headers['x-oss-date'] ?? '', [
    resource,
    subresources(parts.query, OSS_V1_SUBRESOURCES),
  ]);
}

export function obsSignature(secret: string, parts: SignedParts, prefix: 'x-obs-' | 'x-amz-' = 'x-obs-'): string {
  const resource = `/${parts.bucket === undefined ? '' : `${parts.bucket}/`}${parts.rawKey ?? ''}`;
  const date = parts.headers[`${prefix}date`] === undefined ? (parts.headers.date ?? '') : '';
  return classic(secret, parts, prefix, date, [resource, subresources(parts.query, OBS_SUBRESOURCES)]);
}

/** Base64(HMAC-SHA1(secret, verb, MD5, type, date, headers with the prefix, resource)). */
function classic(
  secret: string,
  { method, headers }: SignedParts,
  prefix: string,
  date: string,
  resource: readonly string[],
): string {
  const own = Object.keys(headers)
    .filter((name) => name.startsWith(prefix))
    .sort()
    .map((name) => `${name}:${(headers[name] ?? '').trim()}\n`);
  const head = [method, headers['content-md5'] ?? '', headers['content-type'] ?? '', date].join('\n');
  return createHmac('sha1', secret)
    .update(`${head}\n${own.join('')}${resource.join('')}`)
    .digest('base64');
}

function subresources(query: ReadonlyMap<string, string>, signed: ReadonlySet<string>): string {
  const named = [...query].filter(([name]) => signed.has(name)).sort(byName);
  return named.length === 0
    ? ''
    : `?${named.map(([name, value]) => (value === '' ? name : `${name}=${value}`)).join('&')}`;
}

export interface OssV4Scope {
  /** 'YYYYMMDDTHHMMSSZ'. */
  readonly timestamp: string;
  readonly region: string;
  readonly product: string;
  /** Lower-case, sorted. */
  readonly additionalHeaders: readonly string[];
}

export function ossV4Signature(secret: string, parts: SignedParts, scope: OssV4Scope): string {
  const date = scope.timestamp.slice(0, 8);
  const canonical = ossV4CanonicalRequest(parts, scope.additionalHeaders);
  const text = [
    'OSS4-HMAC-SHA256',
    scope.timestamp,
    `${date}/${scope.region}/${scope.product}/aliyun_v4_request`,
    createHash('sha256').update(canonical).digest('hex'),
  ].join('\n');
  const steps = [date, scope.region, scope.product, 'aliyun_v4_request'];
  const key = steps.reduce<string | Buffer>(
    (previous, step) => createHmac('sha256', previous).update(step).digest(),
    `aliyun_v4${secret}`,
  );
  return createHmac('sha256', key).update(text).digest('hex');
}

function ossV4CanonicalRequest({ method, bucket, key, query, headers }: SignedParts, additional: readonly string[]) {
  const path = `/${bucket === undefined ? '' : `${bucket}/`}${key ?? ''}`;
  const pairs = [...query]
    .filter(([name]) => name !== 'x-oss-signature')
    .map(([name, value]) => [encoded(name), encoded(value)] as const)
    .sort(byName)
    .map(([name, value]) => (value === '' ? name : `${name}=${value}`));
  const signed = Object.keys(headers)
    .filter(
      (name) =>
        name === 'content-type' || name === 'content-md5' || name.startsWith('x-oss-') || additional.includes(name),
    )
    .sort()
    .map((name) => `${name}:${(headers[name] ?? '').trim()}\n`);
  return [
    method,
    path.split('/').map(encoded).join('/'),
    pairs.join('&'),
    signed.join(''),
    additional.join(';'),
    headers['x-oss-content-sha256'] ?? 'UNSIGNED-PAYLOAD',
  ].join('\n');
}

/** RFC 3986's unreserved characters stay. */
function encoded(text: string): string {
  return [...Buffer.from(text, 'utf8')]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return /[A-Za-z0-9._~-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}

function byName([one]: readonly [string, string], [other]: readonly [string, string]): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
