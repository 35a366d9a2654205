// One fill: a run of blocks of one piece on their way here, from whoever the directory names, until all have come. A
// fill never rejects: what goes wrong is its feed's, and so its readers'.
import type { ObjectRead } from '../../backends/backend.ts';
import type { ByteBudget } from '../concurrency/byte-budget.ts';
import type { Haste } from '../concurrency/haste.ts';
import type { Claim, ClaimProgress, Directory } from '../mesh/directory.ts';
import type { Piece } from '../pieces/piece.ts';
import type { Feed } from '../pieces/piece-feed.ts';
import { bringFromOrigin, type OriginFillOptions } from './origin-fill.ts';
import type { OriginObject } from './origin-object.ts';

export interface FillOptions extends OriginFillOptions {
  /** Bytes in hand while one fill is under way. */
  readonly inHandBytes: number;
}

export interface FillDeps {
  readonly budget: ByteBudget;
  readonly directory: Pick<Directory, 'claim' | 'adopted'>;
  /** Milliseconds on a clock that never jumps. */
  readonly now: () => number;
  /** Somebody is about to be asked for bytes: from here on the answer is paid for. */
  readonly begun: () => void;
}

export interface Fill {
  readonly origin: OriginObject;
  readonly piece: Piece;
  readonly feed: Feed;
  /** Where the feed ends: in blocks of the piece, and in bytes of the object. Exclusive. */
  readonly endBlock: number;
  readonly endBytes: number;
  readonly haste: Haste;
}

export function fillPiece(deps: FillDeps, options: FillOptions, fill: Fill): Promise<void> {
  return underway(deps, options, fill, async () => {
    const claim = deps.directory.claim(fill.piece, progressOf(fill));
    try {
      await bringAll(deps, options, fill, claim);
    } finally {
      await claim.end();
    }
  });
}

/** Of a body that the origin sends already; whatever it fails to bring comes as in any fill. */
export function adoptBody(deps: FillDeps, options: FillOptions, fill: Fill, read: ObjectRead): Promise<void> {
  // Whoever pours is told; this only keeps an error from going unheard while the body waits for its turn.
  read.body.on('error', () => undefined);
  const claim = deps.directory.adopted(fill.piece, progressOf(fill));
  return underway(deps, options, fill, async () => {
    try {
      const { origin, piece, feed, endBytes, haste } = fill;
      await bringFromOrigin(deps, options, origin, piece.version, feed, endBytes, haste, read);
      await feed.finish();
    } finally {
      read.body.destroy();
      await claim.end();
    }
  });
}

/** With its share of the budget. */
async function underway(
  { budget }: FillDeps,
  { inHandBytes }: FillOptions,
  { feed, haste }: Fill,
  work: () => Promise<void>,
): Promise<void> {
  try {
    const release = await budget.take(inHandBytes, haste, feed.signal);
    try {
      await work();
    } finally {
      release();
    }
  } catch (error) {
    feed.fail(error);
  }
}

async function bringAll(deps: FillDeps, options: FillOptions, fill: Fill, claim: Claim): Promise<void> {
  const { feed, origin, piece, endBlock, endBytes, haste } = fill;
  while (feed.remainingBytes > 0) {
    const where = await claim.acquire(feed.signal);
    deps.begun();
    if (where.kind === 'held') await where.bring(feed, endBlock, feed.signal);
    else await bringFromOrigin(deps, options, origin, piece.version, feed, endBytes, haste);
  }
  await feed.finish();
}

function progressOf({ feed, haste }: Fill): ClaimProgress {
  const promised = feed.remainingBytes;
  return {
    get bytes() {
      return promised - feed.remainingBytes;
    },
    get urgency() {
      return haste.urgency;
    },
  };
}
