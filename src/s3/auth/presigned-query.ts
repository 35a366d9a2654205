// The claim of a presigned URL, which carries everything in its query.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
import { S3Error } from '../errors.ts';
import type { S3Request } from '../request.ts';
import { parseCredential, parseSignedHeaders, type SignatureClaim } from './signature-claim.ts';
import { ALGORITHM } from './sigv4.ts';
import { parseTimestamp } from './timestamp.ts';

const REQUIRED = [
  'X-Amz-Algorithm',
  'X-Amz-Credential',
  'X-Amz-Signature',
  'X-Amz-Date',
  'X-Amz-SignedHeaders',
  'X-Amz-Expires',
] as const;

const LONGEST_S = 7 * 24 * 60 * 60;

export function claimOfQuery(request: Pick<S3Request, 'query' | 'headers'>): SignatureClaim {
  const fields = fieldsOf(request.query);
  if (fields['X-Amz-Algorithm'] !== ALGORITHM) throw invalid(`X-Amz-Algorithm only supports "${ALGORITHM}"`);
  const timestamp = fields['X-Amz-Date'];
  const signedAt = parseTimestamp(timestamp);
  if (signedAt === undefined) {
    throw invalid(`X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd'T'HHmmss'Z'"`);
  }
  return {
    ...credentialOf(fields['X-Amz-Credential']),
    signedHeaders: parseSignedHeaders(fields['X-Amz-SignedHeaders']),
    signature: fields['X-Amz-Signature'],
    signedAt,
    timestamp,
    payloadHash:
      request.headers['x-amz-content-sha256'] ?? parameter(request.query, 'X-Amz-Content-Sha256') ?? 'UNSIGNED-PAYLOAD',
    expiresS: expiryOf(fields['X-Amz-Expires']),
  };
}

function fieldsOf(query: S3Request['query']): Record<(typeof REQUIRED)[number], string> {
  const fields = REQUIRED.map((name) => [name, parameter(query, name)] as const);
  if (fields.some(([, value]) => value === undefined || value === '')) {
    throw invalid(
      'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, ' +
        'X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.',
    );
  }
  return Object.fromEntries(fields) as Record<(typeof REQUIRED)[number], string>;
}

function parameter(query: S3Request['query'], wanted: string): string | undefined {
  const values = query.filter(([name]) => name === wanted);
  if (values.length > 1) throw invalid(`${wanted} is given more than once.`);
  return values[0]?.[1];
}

function credentialOf(text: string): Pick<SignatureClaim, 'accessKeyId' | 'scope'> {
  const credential = parseCredential(text);
  if (credential === undefined) {
    throw invalid(
      'Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting ' +
        '"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
    );
  }
  if (credential.scope.service !== 's3') {
    throw invalid(
      `Error parsing the X-Amz-Credential parameter; incorrect service "${credential.scope.service}". ` +
        'This endpoint belongs to "s3".',
    );
  }
  if (credential.terminator !== 'aws4_request') {
    throw invalid(
      `Error parsing the X-Amz-Credential parameter; incorrect terminal "${credential.terminator}". ` +
        'This endpoint uses "aws4_request".',
    );
  }
  return { accessKeyId: credential.accessKeyId, scope: credential.scope };
}

function expiryOf(text: string): number {
  if (!/^-?\d{1,15}$/.test(text)) throw invalid('X-Amz-Expires should be a number');
  const seconds = Number(text);
  if (seconds < 0) throw invalid('X-Amz-Expires must be non-negative');
  if (seconds > LONGEST_S) {
    throw invalid(
      'X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than ' +
        `${LONGEST_S} seconds`,
    );
  }
  return seconds;
}

function invalid(message: string): S3Error {
  return new S3Error('AuthorizationQueryParametersError', message);
}
