// AWS Signature Version 2, for what clients still make with it: presigned URLs. Method, Expires, x-amz-* headers and
// the resource are signed, the rest of the query is not; that is how Version 2 is, and why it can be switched off.
// https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
import { createHmac } from 'node:crypto';
import { S3Error } from '../errors.ts';
import { effectiveHeaders } from '../presigned-headers.ts';
import type { S3Request } from '../request.ts';
import { BUCKET_SUBRESOURCES, OBJECT_SUBRESOURCES } from '../subresources.ts';
import { pathReadings } from './canonical-readings.ts';
import { sameSignature } from './hmac.ts';

export interface PresignedV2 {
  readonly accessKeyId: string;
  readonly signature: string;
  /** Seconds since 1970. */
  readonly expires: string;
}

/** Throws AccessDenied where the claim is not whole, or its time is over. */
export function presignedV2(query: S3Request['query'], now: Date): PresignedV2 {
  const [accessKeyId, signature, expires] = ['AWSAccessKeyId', 'Signature', 'Expires'].map((wanted) => {
    const given = query.filter(([name]) => name === wanted);
    return given.length === 1 ? given[0]?.[1] : undefined;
  });
  if (!accessKeyId || !signature || !expires) {
    throw new S3Error(
      'AccessDenied',
      'Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters, each once.',
    );
  }
  if (!/^\d{1,12}$/.test(expires)) {
    throw new S3Error('AccessDenied', `Invalid date (should be seconds since epoch): ${expires}`);
  }
  const expiresAt = new Date(Number(expires) * 1000);
  if (now > expiresAt) {
    throw new S3Error('AccessDenied', 'Request has expired', {
      details: { Expires: expiresAt.toISOString(), ServerTime: now.toISOString() },
    });
  }
  return { accessKeyId, signature, expires };
}

/** Throws SignatureDoesNotMatch, with what was signed here. */
export function verifyV2(request: S3Request, claim: PresignedV2, secretAccessKey: string): void {
  let first: string | undefined;
  for (const text of stringsToSign(request, claim.expires)) {
    if (sameSignature(signV2(secretAccessKey, text), claim.signature)) return;
    first ??= text;
  }
  throw new S3Error('SignatureDoesNotMatch', undefined, {
    details: {
      AWSAccessKeyId: claim.accessKeyId,
      StringToSign: Buffer.from(first ?? '', 'latin1').toString('utf8'),
      SignatureProvided: claim.signature,
    },
  });
}

/** Base64 of HMAC-SHA1 over latin1 text. */
export function signV2(secretAccessKey: string, text: string): string {
  return createHmac('sha1', secretAccessKey).update(text, 'latin1').digest('base64');
}

/** `dateOrExpires`: what stands in the date's place. The readings differ only in how the same resource is written. */
export function* stringsToSign(
  request: Pick<S3Request, 'method' | 'rawPath' | 'query' | 'headers' | 'bucket' | 'key'>,
  dateOrExpires: string,
): Generator<string, void> {
  const { method, headers } = request;
  const start = [method, headers['content-md5'] ?? '', headers['content-type'] ?? '', dateOrExpires].join('\n');
  const amzHeaders = canonicalAmzHeaders(effectiveHeaders(headers, request.query));
  for (const path of pathReadings(request.rawPath)) {
    for (const ending of ['', '=']) {
      const subresources = canonicalSubresources(request.query, ending);
      yield `${start}\n${amzHeaders}${bucketInHost(request)}${path}${subresources}`;
      if (!request.query.some(([name, value]) => value === '' && SIGNED.has(name))) break;
    }
  }
}

function canonicalAmzHeaders(headers: Readonly<Record<string, string | undefined>>): string {
  return Object.entries(headers)
    .filter(([name]) => name.startsWith('x-amz-'))
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value = '']) => `${name}:${value.replace(/^[ \t]+|[ \t]+$/g, '')}\n`)
    .join('');
}

/** In virtual-host style the bucket is not in the path that was sent, and is signed all the same. */
function bucketInHost({ rawPath, bucket, key }: Pick<S3Request, 'rawPath' | 'bucket' | 'key'>): string {
  if (bucket === undefined) return '';
  const isHosted = key === undefined ? rawPath === '/' : decodeURIComponent(rawPath.slice(1)) === key;
  return isHosted ? `/${bucket}` : '';
}

/**
 * Every sub-resource there is, known to the clients of old or not: one that a client did not sign cannot be added to
 * its URL.
 */
const SIGNED: ReadonlySet<string> = new Set([
  ...Object.keys(BUCKET_SUBRESOURCES),
  ...Object.keys(OBJECT_SUBRESOURCES),
  'defaultObjectAcl',
  'partNumber',
  'response-cache-control',
  'response-content-disposition',
  'response-content-encoding',
  'response-content-language',
  'response-content-type',
  'response-expires',
  'select-type',
  'storageClass',
  'versionId',
]);

/** Decoded, as latin1 of their UTF-8. `ending`: some clients sign 'uploads=' where they send it so. */
function canonicalSubresources(query: S3Request['query'], ending: string): string {
  const signed = query
    .filter(([name]) => SIGNED.has(name))
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => (value === '' ? `${name}${ending}` : `${name}=${value}`));
  return signed.length === 0 ? '' : Buffer.from(`?${signed.join('&')}`, 'utf8').toString('latin1');
}
