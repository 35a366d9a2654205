// Where the list of trackers comes from. A provider reads and writes it; src/mesh/members.ts decides what is believed.
import type { MemberId } from '../member.ts';

export interface MembersProvider {
  /** The trackers as they are listed now, in any order. Rejects where the list cannot be had. */
  read(signal: AbortSignal): Promise<readonly MemberId[]>;
  /** Puts this gateway on the list. Called before every read, so that a registry that forgot it hears of it again. */
  join?(self: MemberId, signal: AbortSignal): Promise<void>;
  /** Takes this gateway off the list. */
  leave?(self: MemberId, signal: AbortSignal): Promise<void>;
  /** `changed` is called when a read would give another list; without it only reads tell. Called once. */
  watch?(changed: () => void): void;
  close?(): Promise<void>;
}
