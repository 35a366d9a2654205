// The canonical requests that a claim may have been made over. Clients agree on all but two things: how the path is
// escaped, and whether the host's port counts. Every reading here names the same object on the same host, so that
// accepting any of them gives nothing away.
import { isUtf8 } from 'node:buffer';
import { S3Error } from '../errors.ts';
import type { S3Request } from '../request.ts';
import type { SignatureClaim } from './signature-claim.ts';
import { canonicalQuery, canonicalRequest, uriEncode } from './sigv4.ts';

type Signed = Pick<S3Request, 'method' | 'rawPath' | 'query' | 'headers'>;

type Claimed = Pick<SignatureClaim, 'signedHeaders' | 'payloadHash'>;

/** Exactly what was sent: the likeliest. */
export function readingAsSent(request: Signed, claim: Claimed): string {
  return reading(request, claim, request.headers.host ?? '', request.rawPath);
}

/** All of them, worked out as they are asked for: only when it was not the likeliest. */
export function* canonicalReadings(request: Signed, claim: Claimed): Generator<string, void> {
  for (const host of hosts(request.headers.host ?? '')) {
    for (const canonicalUri of pathReadings(request.rawPath)) yield reading(request, claim, host, canonicalUri);
  }
}

function reading(request: Signed, { signedHeaders, payloadHash }: Claimed, host: string, canonicalUri: string): string {
  const { method, headers, query } = request;
  const signed = signedHeaders.map((name) => [name, name === 'host' ? host : headerOf(headers, name)] as const);
  return canonicalRequest({ method, canonicalUri, canonicalQuery: encodeQuery(query), headers: signed, payloadHash });
}

/** Names come from the claim: any word may be one, also one that every object has. */
function headerOf(headers: Signed['headers'], name: string): string {
  return Object.hasOwn(headers, name) ? (headers[name] ?? '') : '';
}

/** Some clients sign the name alone and send the port too. */
function* hosts(host: string): Generator<string, void> {
  yield host;
  const name = host.replace(/:\d+$/, '');
  if (name !== host) yield name;
}

/** S3 itself escapes what it understood the path to be; clients may send it less escaped, or in lower case. */
export function* pathReadings(rawPath: string): Generator<string, void> {
  yield rawPath;
  const anew = escapedAnew(rawPath);
  if (anew !== undefined && anew !== rawPath) yield anew;
}

/** Undefined: the path is not UTF-8, and has no other reading than itself. */
function escapedAnew(rawPath: string): string | undefined {
  const bytes = Buffer.from(rawPath, 'latin1');
  if (!isUtf8(bytes)) return undefined;
  try {
    return bytes
      .toString('utf8')
      .split('/')
      .map((segment) => uriEncode(decodeURIComponent(segment)))
      .join('/');
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

function encodeQuery(query: S3Request['query']): string {
  try {
    return canonicalQuery(query);
  } catch (error) {
    throw new S3Error('InvalidURI', undefined, { cause: error });
  }
}
