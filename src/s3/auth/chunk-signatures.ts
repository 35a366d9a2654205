// The chain of signatures over a body sent in signed chunks: each signs the one before it, the first the request's.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
import { type HmacKey, hmacHex, sameSignature } from './hmac.ts';
import type { CredentialScope } from './signing-keys.ts';
import { ALGORITHM, scopeText, sha256Hex } from './sigv4.ts';

/** Where the chain begins: the request's own signature, and what it was made with. */
export interface ChunkSeed {
  readonly key: HmacKey;
  readonly timestamp: string;
  readonly scope: CredentialScope;
  readonly signature: string;
}

const SHA256_OF_NOTHING = sha256Hex('');

export class ChunkSignatures {
  readonly #seed: ChunkSeed;
  #previous: string;

  constructor(seed: ChunkSeed) {
    this.#seed = seed;
    this.#previous = seed.signature;
  }

  /** Whether `signature` is the next chunk's; the chain goes on only from one that was. */
  acceptChunk(chunkSha256: string, signature: string): boolean {
    return this.#accept(`${ALGORITHM}-PAYLOAD`, `${SHA256_OF_NOTHING}\n${chunkSha256}`, signature);
  }

  /** `trailers` as 'name:value' lines, each ended by a line feed. */
  acceptTrailers(trailers: string, signature: string): boolean {
    return this.#accept(`${ALGORITHM}-TRAILER`, sha256Hex(trailers), signature);
  }

  #accept(kind: string, hashes: string, signature: string): boolean {
    const { key, timestamp, scope } = this.#seed;
    const expected = hmacHex(key, `${kind}\n${timestamp}\n${scopeText(scope)}\n${this.#previous}\n${hashes}`);
    if (!sameSignature(expected, signature)) return false;
    this.#previous = expected;
    return true;
  }
}
