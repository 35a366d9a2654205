// SigV4 signing keys: derived by four HMACs once a day, region and secret, then kept as KeyObjects, which sign
// several times faster than bytes do on some Node versions.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/** What a signature is good for: a day in a region of a service. */
export interface CredentialScope {
  /** YYYYMMDD */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

interface CachedKey {
  readonly secretAccessKey: string;
  readonly key: KeyObject;
}

/** Bounded: a stranger can name any region, and pays with a derivation of his own. */
const CACHED_KEYS = 1024;

export class SigningKeys {
  readonly #cache = new LRUCache<string, CachedKey>({ max: CACHED_KEYS });

  get(credential: { accessKeyId: string; secretAccessKey: string }, scope: CredentialScope): KeyObject {
    // None of them holds a space (signature-claim.ts).
    const name = `${credential.accessKeyId} ${scope.date} ${scope.region} ${scope.service}`;
    const cached = this.#cache.get(name);
    // The secret may have been changed since, under the same access key.
    if (cached?.secretAccessKey === credential.secretAccessKey) return cached.key;
    const key = deriveSigningKey(credential.secretAccessKey, scope);
    this.#cache.set(name, { secretAccessKey: credential.secretAccessKey, key });
    return key;
  }
}

export function deriveSigningKey(secretAccessKey: string, { date, region, service }: CredentialScope): KeyObject {
  const key = [date, region, service, 'aws4_request'].reduce<string | Buffer>(
    (previous, part) => createHmac('sha256', previous).update(part).digest(),
    `AWS4${secretAccessKey}`,
  );
  return createSecretKey(Buffer.from(key));
}

export function hmacHex(key: KeyObject, text: string): string {
  return createHmac('sha256', key).update(text, 'latin1').digest('hex');
}
