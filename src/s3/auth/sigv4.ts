// AWS Signature Version 4 as S3 has it: the path is encoded once, never normalised, and the payload's hash is a header.
// Pure; text is latin1, one character a byte, as Node gives headers, so that what was signed is what is hashed.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
import { hash } from 'node:crypto';
import type { CredentialScope } from './signing-keys.ts';

export const ALGORITHM = 'AWS4-HMAC-SHA256';

interface CanonicalInput {
  readonly method: string;
  readonly canonicalUri: string;
  readonly canonicalQuery: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Lower-case hex, or one of S3's words such as UNSIGNED-PAYLOAD. */
  readonly payloadHash: string;
}

export function canonicalRequest(input: CanonicalInput): string {
  const { method, canonicalUri, canonicalQuery, payloadHash } = input;
  let headers = '';
  let names = '';
  for (const [name, value] of input.headers) {
    headers += `${name}:${canonicalHeaderValue(value)}\n`;
    names += names === '' ? name : `;${name}`;
  }
  return `${method}\n${canonicalUri}\n${canonicalQuery}\n${headers}\n${names}\n${payloadHash}`;
}

/** `timestamp` is the request's, as YYYYMMDDTHHMMSSZ. */
export function stringToSign(timestamp: string, scope: CredentialScope, canonical: string): string {
  return `${ALGORITHM}\n${timestamp}\n${scopeText(scope)}\n${sha256Hex(canonical)}`;
}

export function scopeText({ date, region, service }: CredentialScope): string {
  return `${date}/${region}/${service}/aws4_request`;
}

/** Every parameter but the signature itself, encoded anew, in the order of the encoded names, then values. */
export function canonicalQuery(query: readonly (readonly [name: string, value: string])[]): string {
  if (query.length === 0) return '';
  return query
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [uriEncode(name), uriEncode(value)] as const)
    .sort(([oneName, oneValue], [otherName, otherValue]) => order(oneName, otherName) || order(oneValue, otherValue))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

/** Throws URIError on a lone surrogate, which no bytes decode to. */
export function uriEncode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

export function sha256Hex(latin1: string): string {
  // Of ASCII, as nearly all of it is, the text is its own bytes: node need not be given a copy.
  const isAscii = Buffer.byteLength(latin1) === latin1.length;
  return hash('sha256', isAscii ? latin1 : Buffer.from(latin1, 'latin1'), 'hex');
}

/** Only spaces and tabs: to JavaScript, bytes of a UTF-8 character (0x85, 0xa0) would be white space too. */
function canonicalHeaderValue(value: string): string {
  if (!/^[ \t]|[ \t]$|[ \t]{2}|\t/.test(value)) return value;
  return value.replace(/^[ \t]+|[ \t]+$/g, '').replace(/[ \t]+/g, ' ');
}

function order(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
