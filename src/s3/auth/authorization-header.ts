// The claim of a request that is signed in its Authorization header.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
import { LRUCache } from 'lru-cache';
import { S3Error } from '../errors.ts';
import type { S3Request } from '../request.ts';
import { parseCredential, parseSignedHeaders, type SignatureClaim } from './signature-claim.ts';
import { ALGORITHM } from './sigv4.ts';
import { formatTimestamp, parseDateHeader, parseTimestamp } from './timestamp.ts';

/** All of the header but the signature: what a client writes in each of a day's requests. */
type Signer = Pick<SignatureClaim, 'accessKeyId' | 'scope' | 'signedHeaders'>;

/** By the text before the signature, where that comes last, as all clients have it. */
const REMEMBERED_AT_MOST = 1024;
const recentSigners = new LRUCache<string, Signer>({ max: 1024 });

export function claimOfHeader(header: string, headers: S3Request['headers']): SignatureClaim {
  const beforeLast = header.slice(0, Math.max(0, header.lastIndexOf(',')));
  const signature = signatureIn(header.slice(beforeLast.length));
  const known = signature === undefined ? undefined : recentSigners.get(beforeLast);
  if (signature !== undefined && known !== undefined) return claimOf(known, signature, headers);
  const parsed = parseHeader(header);
  if (signature !== undefined && beforeLast.length <= REMEMBERED_AT_MOST) recentSigners.set(beforeLast, parsed.signer);
  return claimOf(parsed.signer, parsed.signature, headers);
}

/** Of a header's last field; undefined: that is another. */
function signatureIn(field: string): string | undefined {
  const [, signature] = /^,[ \t]*Signature=([0-9a-f]{64})$/.exec(field) ?? [];
  return signature;
}

function claimOf(signer: Signer, signature: string, headers: S3Request['headers']): SignatureClaim {
  const { signedAt, timestamp } = dateOf(headers);
  const { accessKeyId, scope, signedHeaders } = signer;
  return { accessKeyId, scope, signedHeaders, signature, signedAt, timestamp, payloadHash: payloadHashOf(headers) };
}

function parseHeader(header: string): { signer: Signer; signature: string } {
  refuseOtherSchemes(header);
  const fields = fieldsOf(header.slice(ALGORITHM.length));
  const credential = parseCredential(field(fields, 'Credential'));
  if (credential === undefined) {
    throw malformed('the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".');
  }
  if (credential.scope.service !== 's3') {
    throw malformed(`incorrect service "${credential.scope.service}". This endpoint belongs to "s3".`);
  }
  if (credential.terminator !== 'aws4_request') {
    throw malformed(`incorrect terminal "${credential.terminator}". This endpoint uses "aws4_request".`);
  }
  const { accessKeyId, scope } = credential;
  const signedHeaders = parseSignedHeaders(field(fields, 'SignedHeaders'));
  return { signer: { accessKeyId, scope, signedHeaders }, signature: field(fields, 'Signature') };
}

function refuseOtherSchemes(header: string): void {
  if (header.startsWith(`${ALGORITHM} `)) return;
  if (/^AWS /.test(header)) {
    throw new S3Error(
      'InvalidRequest',
      'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
    );
  }
  throw new S3Error('InvalidArgument', 'Unsupported Authorization Type', {
    details: { ArgumentName: 'Authorization', ArgumentValue: header },
  });
}

function fieldsOf(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const part of text.split(',')) {
    const equals = part.indexOf('=');
    const name = part.slice(0, equals).trim();
    if (equals < 0 || fields.has(name)) throw malformed('it is not a list of fields, each given once.');
    fields.set(name, part.slice(equals + 1).trim());
  }
  return fields;
}

function field(fields: ReadonlyMap<string, string>, name: string): string {
  const value = fields.get(name);
  if (value === undefined || value === '') throw malformed(`the ${name} field is missing.`);
  return value;
}

/** x-amz-date wins over Date, as it is the one a browser can set. */
function dateOf(headers: S3Request['headers']): { signedAt: Date; timestamp: string } {
  const text = headers['x-amz-date'] ?? headers.date ?? '';
  const basic = parseTimestamp(text);
  if (basic !== undefined) return { signedAt: basic, timestamp: text };
  const signedAt = parseDateHeader(text);
  if (!signedAt) throw new S3Error('AccessDenied', 'AWS authentication requires a valid Date or x-amz-date header');
  return { signedAt, timestamp: formatTimestamp(signedAt) };
}

function payloadHashOf(headers: S3Request['headers']): string {
  const hash = headers['x-amz-content-sha256'];
  if (hash !== undefined) return hash;
  throw new S3Error('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256');
}

function malformed(what: string): S3Error {
  return new S3Error('AuthorizationHeaderMalformed', `The authorization header is malformed; ${what}`);
}
