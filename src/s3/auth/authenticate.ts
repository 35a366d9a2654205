// Who a request is from: SigV4 in the Authorization header, SigV4 in the query (presigned), or nobody. The signature
// is verified here; what the request says of its body is verified as the body is read (src/s3/body).
import { S3Error } from '../errors.ts';
import type { S3Request } from '../request.ts';
import { claimOfHeader } from './authorization-header.ts';
import { canonicalReadings, readingAsSent } from './canonical-readings.ts';
import type { Credential, CredentialStore } from './credentials.ts';
import { type FormFields, signerOfForm } from './form-signature.ts';
import { type HmacKey, hmacHex, sameSignature } from './hmac.ts';
import { type PayloadMode, payloadMode } from './payload-mode.ts';
import type { Rule } from './policy.ts';
import { claimOfQuery } from './presigned-query.ts';
import type { SignatureClaim } from './signature-claim.ts';
import { SigningKeys } from './signing-keys.ts';
import { presignedV2, verifyV2 } from './sigv2.ts';
import { stringToSign } from './sigv4.ts';

export type { PayloadMode } from './payload-mode.ts';

export interface Identity {
  readonly anonymous: boolean;
  /** For logs: the credential's name. */
  readonly name: string;
  /** Undefined exactly for anonymous requests. */
  readonly account: string | undefined;
  readonly accessKeyId: string | undefined;
  /** Undefined: everything the account may do. */
  readonly rules: readonly Rule[] | undefined;
}

export interface Authenticated {
  readonly identity: Identity;
  readonly payload: PayloadMode;
}

interface AuthenticatorOptions {
  /** What unsigned requests may do. */
  readonly anonymous: readonly Rule[];
  readonly maxSkewMs: number;
  /** Set: signatures for another region are refused. Otherwise the scope's region is the client's own affair. */
  readonly region?: string | undefined;
  /** Signature Version 2 in presigned URLs and in the policies of forms. Default false. */
  readonly allowSigV2?: boolean | undefined;
}

export class Authenticator {
  readonly #credentials: CredentialStore;
  readonly #now: () => Date;
  readonly #options: AuthenticatorOptions;
  readonly #signingKeys = new SigningKeys();

  constructor(deps: { credentials: CredentialStore; now: () => Date }, options: AuthenticatorOptions) {
    this.#credentials = deps.credentials;
    this.#now = deps.now;
    this.#options = options;
  }

  /** Throws S3Error. */
  authenticate(request: S3Request): Authenticated {
    const mechanism = mechanismOf(request);
    if (mechanism === undefined || mechanism === 'query V2') {
      const identity = mechanism === undefined ? this.#nobody() : this.#presignedV2(request);
      return { identity, payload: payloadMode(request.headers['x-amz-content-sha256'], undefined) };
    }
    const claim = mechanism === 'query' ? claimOfQuery(request) : claimOfHeader(mechanism.header, request.headers);
    this.#checkScope(claim);
    this.#checkTime(claim);
    const credential = this.#credentialOf(claim);
    refuseUnsignedHeaders(claim, request.headers);
    const key = this.#signingKeys.get(credential, claim.scope);
    verify(request, claim, key);
    const { timestamp, scope, signature } = claim;
    return {
      identity: identityOf(credential),
      payload: payloadMode(claim.payloadHash, { key, timestamp, scope, signature }),
    };
  }

  /** By the signature of its policy alone. Throws S3Error. */
  authenticateForm(fields: FormFields): Identity {
    const deps = { credentials: this.#credentials, signingKeys: this.#signingKeys };
    const signer = signerOfForm(fields, this.#options.allowSigV2 === true, deps);
    return signer === undefined ? this.#nobody() : identityOf(signer);
  }

  #presignedV2(request: S3Request): Identity {
    if (this.#options.allowSigV2 !== true) {
      throw new S3Error(
        'InvalidRequest',
        'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
      );
    }
    const claim = presignedV2(request.query, this.#now());
    const credential = this.#credentialOf(claim);
    verifyV2(request, claim, credential.secretAccessKey);
    return identityOf(credential);
  }

  #nobody(): Identity {
    return {
      anonymous: true,
      name: 'anonymous',
      account: undefined,
      accessKeyId: undefined,
      rules: this.#options.anonymous,
    };
  }

  #credentialOf({ accessKeyId }: Pick<SignatureClaim, 'accessKeyId'>): Credential {
    const credential = this.#credentials.find(accessKeyId);
    if (credential !== undefined) return credential;
    throw new S3Error('InvalidAccessKeyId', undefined, { details: { AWSAccessKeyId: accessKeyId } });
  }

  #checkScope({ scope, timestamp }: SignatureClaim): void {
    const { region } = this.#options;
    if (region !== undefined && scope.region !== region) {
      throw new S3Error(
        'AuthorizationHeaderMalformed',
        `The authorization header is malformed; the region '${scope.region}' is wrong; expecting '${region}'`,
        { details: { Region: region } },
      );
    }
    if (!timestamp.startsWith(scope.date)) {
      throw new S3Error(
        'SignatureDoesNotMatch',
        'Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: ' +
          `'${scope.date}' != '${timestamp.slice(0, 8)}', from '${timestamp}'.`,
      );
    }
  }

  #checkTime(claim: SignatureClaim): void {
    const now = this.#now();
    const ageMs = now.getTime() - claim.signedAt.getTime();
    if (claim.expiresS === undefined) {
      if (Math.abs(ageMs) > this.#options.maxSkewMs) throw this.#skewed(claim, now);
    } else if (ageMs < -this.#options.maxSkewMs) {
      throw new S3Error('AccessDenied', 'Request is not valid yet', {
        details: { 'X-Amz-Date': claim.timestamp, ServerTime: now.toISOString() },
      });
    } else if (claim.expiresS === 0 || ageMs > claim.expiresS * 1000) {
      throw expired(claim, claim.expiresS, now);
    }
  }

  #skewed(claim: SignatureClaim, now: Date): S3Error {
    return new S3Error('RequestTimeTooSkewed', undefined, {
      details: {
        RequestTime: claim.timestamp,
        ServerTime: now.toISOString(),
        MaxAllowedSkewMilliseconds: String(this.#options.maxSkewMs),
      },
    });
  }
}

function expired(claim: SignatureClaim, expiresS: number, now: Date): S3Error {
  return new S3Error('AccessDenied', 'Request has expired', {
    details: {
      'X-Amz-Expires': String(expiresS),
      Expires: new Date(claim.signedAt.getTime() + expiresS * 1000).toISOString(),
      ServerTime: now.toISOString(),
    },
  });
}

const OF_PRESIGNED = new Set(['X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Signature']);

/** Undefined: the request is unsigned. */
function mechanismOf(request: S3Request): { readonly header: string } | 'query' | 'query V2' | undefined {
  // An empty Authorization header is none, as at S3.
  const header = request.headers.authorization || undefined;
  const presigned = request.query.some(([name]) => OF_PRESIGNED.has(name));
  const isPresignedV2 = request.query.some(([name]) => name === 'AWSAccessKeyId');
  if (Number(header !== undefined) + Number(presigned) + Number(isPresignedV2) > 1) {
    throw new S3Error(
      'InvalidArgument',
      'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter ' +
        'or the Authorization header should be specified',
      { details: { ArgumentName: 'Authorization', ArgumentValue: header ?? '' } },
    );
  }
  if (header !== undefined) return { header };
  if (isPresignedV2) return 'query V2';
  return presigned ? 'query' : undefined;
}

/** A signature that leaves out the host or a word of S3's could be moved to another request. */
function refuseUnsignedHeaders(claim: SignatureClaim, headers: S3Request['headers']): void {
  const unsigned = claim.signedHeaders.includes('host') ? [] : ['host'];
  for (const name in headers) {
    if (name.startsWith('x-amz-') && !claim.signedHeaders.includes(name)) unsigned.push(name);
  }
  if (unsigned.length === 0) return;
  throw new S3Error('AccessDenied', 'There were headers present in the request which were not signed', {
    details: { HeadersNotSigned: unsigned.join(', ') },
  });
}

function verify(request: S3Request, claim: SignatureClaim, key: HmacKey): void {
  const textOf = (canonical: string): string => stringToSign(claim.timestamp, claim.scope, canonical);
  const isSigned = (text: string): boolean => sameSignature(hmacHex(key, text), claim.signature);
  const sent = readingAsSent(request, claim);
  const text = textOf(sent);
  if (isSigned(text)) return;
  for (const canonical of canonicalReadings(request, claim)) if (isSigned(textOf(canonical))) return;
  throw mismatch(claim, sent, text);
}

/** Tells what was hashed here, as S3 does, so that a client's author can see where theirs departs. */
function mismatch(claim: SignatureClaim, canonical: string, text: string): S3Error {
  return new S3Error('SignatureDoesNotMatch', undefined, {
    details: {
      AWSAccessKeyId: claim.accessKeyId,
      StringToSign: text,
      SignatureProvided: claim.signature,
      StringToSignBytes: spacedHex(text),
      CanonicalRequest: canonical,
      CanonicalRequestBytes: spacedHex(canonical),
    },
  });
}

function spacedHex(latin1: string): string {
  return Buffer.from(latin1, 'latin1')
    .toString('hex')
    .replace(/..(?!$)/g, '$& ');
}

function identityOf({ name, account, accessKeyId, rules }: Credential): Identity {
  return { anonymous: false, name, account, accessKeyId, rules };
}
