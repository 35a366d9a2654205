// Who signed the policy of a form that a browser posts: Version 4, or Version 2 where it is allowed.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-authentication-HTTPPOST.html
import { S3Error } from '../errors.ts';
import type { Credential, CredentialStore } from './credentials.ts';
import { hmacHex, sameSignature } from './hmac.ts';
import { parseCredential } from './signature-claim.ts';
import type { SigningKeys } from './signing-keys.ts';
import { signV2 } from './sigv2.ts';
import { ALGORITHM } from './sigv4.ts';
import { parseTimestamp } from './timestamp.ts';

/** By lower-case name. */
export type FormFields = ReadonlyMap<string, string>;

interface FormSignatureDeps {
  readonly credentials: CredentialStore;
  readonly signingKeys: SigningKeys;
}

/** Undefined: the form has no policy and no signature. What the policy says is not looked at here. */
export function signerOfForm(fields: FormFields, allowSigV2: boolean, deps: FormSignatureDeps): Credential | undefined {
  const isV4 = fields.has('x-amz-signature') || fields.has('x-amz-credential') || fields.has('x-amz-algorithm');
  const isV2 = fields.has('awsaccesskeyid') || fields.has('signature');
  if (!isV4 && !isV2 && !fields.has('policy')) return undefined;
  const policy = required(fields, 'policy');
  if (isV4) return verifyV4(fields, policy, deps);
  if (!allowSigV2) {
    throw new S3Error(
      'InvalidRequest',
      'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
    );
  }
  const credential = credentialOf(required(fields, 'awsaccesskeyid', 'AWSAccessKeyId'), deps.credentials);
  const signature = required(fields, 'signature');
  if (!sameSignature(signV2(credential.secretAccessKey, policy), signature)) throw mismatch(credential, signature);
  return credential;
}

function verifyV4(fields: FormFields, policy: string, { credentials, signingKeys }: FormSignatureDeps): Credential {
  if (required(fields, 'x-amz-algorithm') !== ALGORITHM) {
    throw invalid('x-amz-algorithm', `X-Amz-Algorithm only supports "${ALGORITHM}"`);
  }
  const claim = parseCredential(required(fields, 'x-amz-credential'));
  if (claim === undefined || claim.scope.service !== 's3' || claim.terminator !== 'aws4_request') {
    throw invalid('x-amz-credential', 'X-Amz-Credential must be <access key>/YYYYMMDD/REGION/s3/aws4_request.');
  }
  const timestamp = required(fields, 'x-amz-date');
  if (parseTimestamp(timestamp) === undefined || !timestamp.startsWith(claim.scope.date)) {
    throw invalid('x-amz-date', "X-Amz-Date must be YYYYMMDD'T'HHMMSS'Z', on the day that the credential names.");
  }
  const credential = credentialOf(claim.accessKeyId, credentials);
  const signature = required(fields, 'x-amz-signature');
  const expected = hmacHex(signingKeys.get(credential, claim.scope), policy);
  if (!sameSignature(expected, signature)) throw mismatch(credential, signature);
  return credential;
}

function required(fields: FormFields, name: string, told = name): string {
  const value = fields.get(name);
  if (value) return value;
  throw invalid(told, `Bucket POST must contain a field named '${told}'.`);
}

function credentialOf(accessKeyId: string, credentials: CredentialStore): Credential {
  const credential = credentials.find(accessKeyId);
  if (credential !== undefined) return credential;
  throw new S3Error('InvalidAccessKeyId', undefined, { details: { AWSAccessKeyId: accessKeyId } });
}

function mismatch({ accessKeyId }: Credential, signature: string): S3Error {
  return new S3Error('SignatureDoesNotMatch', undefined, {
    details: { AWSAccessKeyId: accessKeyId, SignatureProvided: signature },
  });
}

function invalid(name: string, message: string): S3Error {
  return new S3Error('InvalidArgument', message, { details: { ArgumentName: name, ArgumentValue: '' } });
}
