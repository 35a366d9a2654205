// What is set on a bucket about access: its policy and its public-access block. Remembered as settings are (a few
// seconds; forgotten at once where this gateway changes them), and read once for each text.
import { LRUCache } from 'lru-cache';
import type { BucketSettings } from '../../objects/bucket-settings.ts';
import { type BucketPolicy, parseBucketPolicy } from './bucket-policy.ts';
import { NOTHING_BLOCKED, type PublicAccessBlock } from './public-access-block.ts';

/** The names that a bucket's documents are kept under. */
export const POLICY_DOCUMENT = 'policy';
export const PUBLIC_ACCESS_BLOCK_DOCUMENT = 'public-access-block';

const PARSED_POLICIES = 1000;

export class BucketPolicies {
  readonly #settings: Pick<BucketSettings, 'get'>;
  readonly #parsed = new LRUCache<string, BucketPolicy>({ max: PARSED_POLICIES });

  constructor(deps: { readonly settings: Pick<BucketSettings, 'get'> }) {
    this.#settings = deps.settings;
  }

  /** Undefined: there is none. */
  async policyOf(bucket: string, signal: AbortSignal): Promise<BucketPolicy | undefined> {
    const text = await this.#settings.get(bucket, POLICY_DOCUMENT, signal);
    if (text === undefined) return undefined;
    const name = `${bucket}\0${text}`;
    const parsed = this.#parsed.get(name) ?? parseBucketPolicy(text, bucket);
    this.#parsed.set(name, parsed);
    return parsed;
  }

  async blockOf(bucket: string, signal: AbortSignal): Promise<PublicAccessBlock> {
    const text = await this.#settings.get(bucket, PUBLIC_ACCESS_BLOCK_DOCUMENT, signal);
    return text === undefined ? NOTHING_BLOCKED : (JSON.parse(text) as PublicAccessBlock);
  }
}
