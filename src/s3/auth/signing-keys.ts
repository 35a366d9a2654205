// SigV4 signing keys: derived by four HMACs once a day, region and secret, then kept as what signs fastest.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
import { createHmac } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { type HmacKey, hmacKey } from './hmac.ts';

/** What a signature is good for: a day in a region of a service. */
export interface CredentialScope {
  /** YYYYMMDD */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

interface CachedKey {
  readonly secretAccessKey: string;
  readonly key: HmacKey;
}

/** Bounded: a stranger can name any region, and pays with a derivation of his own. */
const CACHED_KEYS = 1024;

export class SigningKeys {
  readonly #cache = new LRUCache<string, CachedKey>({ max: CACHED_KEYS });
  /** A client's scope is one object for as long as its header is remembered (authorization-header.ts). */
  readonly #byScope = new WeakMap<CredentialScope, CachedKey>();

  get(credential: { accessKeyId: string; secretAccessKey: string }, scope: CredentialScope): HmacKey {
    const known = this.#byScope.get(scope);
    if (known?.secretAccessKey === credential.secretAccessKey) return known.key;
    const found = this.#find(credential, scope);
    this.#byScope.set(scope, found);
    return found.key;
  }

  #find(credential: { accessKeyId: string; secretAccessKey: string }, scope: CredentialScope): CachedKey {
    // None of them holds a space (signature-claim.ts).
    const name = `${credential.accessKeyId} ${scope.date} ${scope.region} ${scope.service}`;
    const cached = this.#cache.get(name);
    // The secret may have been changed since, under the same access key.
    if (cached?.secretAccessKey === credential.secretAccessKey) return cached;
    const { secretAccessKey } = credential;
    const made = { secretAccessKey, key: hmacKey(deriveSigningKey(secretAccessKey, scope)) };
    this.#cache.set(name, made);
    return made;
  }
}

export function deriveSigningKey(secretAccessKey: string, { date, region, service }: CredentialScope): Buffer {
  return [date, region, service, 'aws4_request'].reduce<Buffer>(
    (previous, part) => createHmac('sha256', previous).update(part).digest(),
    Buffer.from(`AWS4${secretAccessKey}`),
  );
}
