// Listings of objects.
import type { ObjectSummary } from './object.ts';

export interface ListOptions {
  readonly prefix?: string | undefined;
  readonly delimiter?: string | undefined;
  /**
   * Exclusive, in UTF-8 byte order. When it is itself a common prefix of this listing, the keys beneath it count as
   * reported already. Ignored when a token is given.
   */
  readonly startAfter?: string | undefined;
  /** From the page before; opaque. */
  readonly token?: string | undefined;
  /** 1 to 1,000: objects and prefixes together. */
  readonly maxEntries: number;
}

export interface ListPage {
  readonly objects: readonly ObjectSummary[];
  readonly prefixes: readonly string[];
  /** Set when there is more. */
  readonly nextToken?: string | undefined;
}
