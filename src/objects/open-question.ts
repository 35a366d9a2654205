// A question about a name that is still unanswered, and who may wait for its answer too.
import type { Haste } from '../concurrency/haste.ts';
import type { SharedCall } from '../concurrency/shared-call.ts';
import type { Asked } from './asked-names.ts';
import type { Freshness, Wanted } from './versions.ts';

/** A name somebody is asking about or writing right now. */
export interface Entry {
  readonly key: string;
  /** Raised by every begin and end of a write, here or elsewhere. */
  generation: number;
  openMarks: number;
  /** The one to join; others may still be under way. */
  question: Question | undefined;
  underWay: number;
}

export interface Question {
  readonly call: SharedCall<Asked>;
  readonly generation: number;
  readonly complete: boolean;
  readonly freshness: Freshness;
  readonly haste: Haste | undefined;
}

/** Not the question of somebody who believes older answers. */
export function canJoin(running: Question, entry: Entry, freshness: Freshness, wanted: Wanted): boolean {
  return (
    running.call.joinable &&
    running.generation === entry.generation &&
    (running.complete || !wanted.complete) &&
    running.freshness.freshMs <= freshness.freshMs &&
    running.freshness.missingFreshMs <= freshness.missingFreshMs
  );
}
