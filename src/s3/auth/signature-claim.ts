// What a signed request claims of itself, in the one form that both places it can stand in (header, query) lead to.
import type { CredentialScope } from './signing-keys.ts';

export interface SignatureClaim {
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
  /** Lower-case, in the order of the claim. */
  readonly signedHeaders: readonly string[];
  /** 64 lower-case hexadecimal digits. */
  readonly signature: string;
  readonly signedAt: Date;
  /** The instant as it goes into the string to sign. */
  readonly timestamp: string;
  /** As it goes into the canonical request. */
  readonly payloadHash: string;
  /** Presigned: for how long after signedAt. */
  readonly expiresS?: number | undefined;
}

interface ClaimedCredential {
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
  readonly terminator: string;
}

/** 'AKID/20130524/us-east-1/s3/aws4_request': the key ID may hold slashes, the region may be empty. */
export function parseCredential(text: string): ClaimedCredential | undefined {
  const [, accessKeyId, date, region, service, terminator] =
    /^([\x21-\x7e]+)\/(\d{8})\/([\x21-\x2e\x30-\x7e]*)\/([a-z0-9-]+)\/([a-z0-9_]+)$/.exec(text) ?? [];
  if (accessKeyId === undefined || date === undefined || terminator === undefined) return undefined;
  return { accessKeyId, scope: { date, region: region ?? '', service: service ?? '' }, terminator };
}

export function parseSignedHeaders(text: string): readonly string[] {
  return text.toLowerCase().split(';');
}
