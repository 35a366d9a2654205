// What is set on a bucket about access: its policy and its public-access block. Remembered as settings are (a few
// seconds; forgotten at once where this gateway changes them), and read once for each text.
import { LRUCache } from 'lru-cache';
import type { BucketSettings } from '../../objects/bucket-settings.ts';
import type { RecentSettings } from '../recent-settings.ts';
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

  /** Both, as far as nobody has to be asked; undefined: somebody has. */
  known(
    settings: Pick<RecentSettings, 'known'>,
    bucket: string,
  ): { policy: BucketPolicy | undefined; block: PublicAccessBlock } | undefined {
    const policy = settings.known(bucket, POLICY_DOCUMENT);
    const block = settings.known(bucket, PUBLIC_ACCESS_BLOCK_DOCUMENT);
    if (policy === undefined || block === undefined) return undefined;
    return { policy: this.#policy(bucket, policy.document), block: readBlock(block.document) };
  }

  /** Undefined: there is none. */
  async policyOf(bucket: string, signal: AbortSignal): Promise<BucketPolicy | undefined> {
    return this.#policy(bucket, await this.#settings.get(bucket, POLICY_DOCUMENT, signal));
  }

  async blockOf(bucket: string, signal: AbortSignal): Promise<PublicAccessBlock> {
    return readBlock(await this.#settings.get(bucket, PUBLIC_ACCESS_BLOCK_DOCUMENT, signal));
  }

  #policy(bucket: string, text: string | undefined): BucketPolicy | undefined {
    if (text === undefined) return undefined;
    const name = `${bucket}\0${text}`;
    const parsed = this.#parsed.get(name) ?? parseBucketPolicy(text, bucket);
    this.#parsed.set(name, parsed);
    return parsed;
  }
}

function readBlock(text: string | undefined): PublicAccessBlock {
  return text === undefined ? NOTHING_BLOCKED : (JSON.parse(text) as PublicAccessBlock);
}
