// The pieces' side of the mesh put together: tracker, directory, and the exchange of pieces. One gateway alone has the
// same, with itself as the only tracker and nobody to ask.
import type { Level } from 'level';
import type { Background } from '../concurrency/background.ts';
import type { ArrivingPiece } from '../pieces/arriving.ts';
import type { Departures } from '../pieces/departures.ts';
import type { Piece } from '../pieces/piece.ts';
import type { PieceStore } from '../pieces/piece-store.ts';
import { Announcer } from './announcer.ts';
import type { Directory } from './directory.ts';
import { PieceBorrower } from './exchange/piece-borrower.ts';
import { PieceLender } from './exchange/piece-lender.ts';
import type { BlockSigner } from './exchange/proof.ts';
import { ProofBook } from './exchange/proof-book.ts';
import { LastCopies } from './last-copies.ts';
import type { Member, MemberId } from './member.ts';
import { type OpenedDirectory, openDirectory } from './open-directory.ts';
import { OwnerCalls } from './owner-calls.ts';
import type { Detour } from './piece-claim.ts';
import type { Slab, ZoneKey } from './slab.ts';
import { SpareCalls } from './spare-calls.ts';
import { Tracker } from './tracker/tracker.ts';
import { TrackerDb } from './tracker/tracker-db.ts';
import { TrackerService } from './tracker/tracker-service.ts';
import { TrackerClient } from './tracker-client.ts';
import { TrackerZones } from './tracker-zones.ts';
import { type Handlers, type MeshClient, MeshError } from './transport.ts';
import type { ZoneLevel } from './zone-first.ts';

interface MeshMembers {
  readonly self: Member;
  /** The same array until the list changes. */
  trackers(): readonly MemberId[];
  about(id: MemberId): Member | undefined;
}

export interface PieceMeshDeps {
  readonly members: MeshMembers;
  readonly client: MeshClient;
  /** How long to wait for others where the limit is this. Absent: so long. */
  readonly patience?: (limitMs: number) => number;
  readonly signer: BlockSigner;
  readonly store: PieceStore;
  /** Undefined: the store never has to make room. */
  readonly departures?: Departures | undefined;
  /** What this gateway tracks for others survives a restart where there is one. */
  readonly database?: Level | undefined;
  readonly background: Background;
  readonly observer: PieceMeshObserver;
  /** Milliseconds on a clock that never jumps. */
  readonly now: () => number;
}

/** Whom the mesh tells what an operator should know. Calls must not throw. */
export interface PieceMeshObserver {
  /** Bytes of pieces from another gateway, in another zone if it is far, and to one. */
  received(bytes: number, from: { readonly isFar: boolean }): void;
  sent(bytes: number): void;
  /** A piece does not come (any further) from where it was sent for. */
  detoured(reason: Detour): void;
  /** What another gateway sent was not proved; it was discarded. */
  unproved(event: { readonly from: MemberId; readonly key: string; readonly error: unknown }): void;
  /** It announced a piece with other bytes than those that are known. */
  refused(event: { readonly member: MemberId; readonly slab: string; readonly pieces: readonly number[] }): void;
  databaseFailed(error: unknown): void;
}

export interface PieceMeshOptions {
  readonly uploadSlots: number;
  readonly maxUploads: number;
  readonly leases: number;
  readonly silenceMs: number;
  readonly progressMs: number;
  readonly longPollMs: number;
  readonly patienceMs: number;
  /** How long a call may take that tells trackers something, and that nobody waits for. */
  readonly tellMs: number;
  /** How long another owner of a slab may take to say what it knows: somebody's read waits for it. */
  readonly peekMs: number;
  readonly maxSlabs: number;
  readonly maxMembers: number;
  /** Whether the own zone's trackers are asked before those of the mesh. */
  readonly zoneLevel: ZoneLevel;
}

export interface PieceMesh {
  readonly directory: Directory;
  readonly trackers: TrackerClient;
  /** The zones that trackers are in, as far as they are known. */
  readonly zones: () => readonly ZoneKey[];
  /** Who could not be reached lately. */
  readonly calls: OwnerCalls;
  readonly service: TrackerService;
  /** Pieces that this member knows the holders of, and gives to others now. */
  readonly counts: () => { readonly tracked: number; readonly uploads: number };
  /** This member has begun to receive the piece from its origin, as it told whoever answers for the object's name. */
  learnArriving(slab: Slab, piece: Piece, member: MemberId): void;
  /** The list of trackers is there, or is another one. */
  membersChanged(): void;
  /** `arriving`: what is on its way here. */
  handlers(arriving: (piece: Piece) => ArrivingPiece | undefined): Handlers;
  close(): Promise<void>;
}

/** Owners of a slab: the first decides, the second knows enough to go on. */
const OWNERS = 2;
const MAX_PROOFS = 4096;
const DOWN_MS = 2_000;
/** Of what is held already, told to trackers that have come to answer for it. */
const ANNOUNCED_PER_SECOND = 2_000;

export function openPieceMesh(deps: PieceMeshDeps, options: PieceMeshOptions): PieceMesh {
  const { members, client, store, background, observer, now } = deps;
  const alone = () => members.trackers().every((id) => id === members.self.id);
  const proofs = new ProofBook({ maxPieces: MAX_PROOFS });
  let service: TrackerService | undefined;
  let db: TrackerDb | undefined;
  const tracker: Tracker = new Tracker(
    {
      now,
      random: Math.random,
      alone,
      suspected: (member) => service?.suspect(member),
      changed: (slab, member) => db?.changed(slab, member),
    },
    options,
  );
  if (deps.database !== undefined) {
    const find = (slab: string) => tracker.find(slab);
    db = new TrackerDb({ database: deps.database, find, failed: (error) => observer.databaseFailed(error) }, options);
  }
  const calls = new OwnerCalls({ now }, { downMs: DOWN_MS });
  const zones = new TrackerZones(
    { members, client, background, random: Math.random, learnt: () => announcer.update() },
    options,
  );
  const view = () => zones.view();
  const { self } = members;
  const patience = deps.patience ?? ((limitMs: number) => limitMs);
  service = new TrackerService(
    { tracker, db, client, calls, self, view, now, background, patience, refused: (event) => observer.refused(event) },
    options,
  );
  const trackers = new TrackerClient(
    { client, self, view, local: service, calls, background },
    { owners: OWNERS, tellMs: options.tellMs },
  );
  const received = (bytes: number, from: MemberId) => {
    const zone = members.about(from)?.zone;
    observer.received(bytes, { isFar: self.zone !== undefined && zone !== undefined && zone !== self.zone });
  };
  const { directory, slabsOf } = openDirectory(
    {
      self,
      view,
      trackers,
      borrower: new PieceBorrower(
        { client, proofs, received, patience },
        { blockSize: store.blockSize, silenceMs: options.silenceMs },
      ),
      proofs,
      store,
      background,
      alone,
      now,
      detoured: (reason) => observer.detoured(reason),
      unproved: (event) => observer.unproved(event),
    },
    options,
  );
  const tracking = service;
  let lender: PieceLender | undefined;
  const announcer: Announcer = new Announcer(
    {
      store,
      view,
      slabsOf,
      announce: (piece) => directory.tellHeld(piece),
      background,
    },
    { owners: OWNERS, piecesPerSecond: ANNOUNCED_PER_SECOND },
  );
  const lastCopies = openLastCopies(deps, { trackers, calls, service: tracking, directory, slabsOf, alone }, options);
  return {
    directory,
    trackers,
    zones: () => view().zones,
    calls,
    service: tracking,
    counts: () => ({ tracked: tracker.piecesKnown, uploads: lender?.uploads ?? 0 }),
    learnArriving: (slab, piece, member) => {
      tracker.learn(slab, member, { piece: piece.index - slab.first, source: 'origin', bytes: 0, waiting: false });
    },
    membersChanged: () => {
      if (!alone()) zones.update();
    },
    handlers: (arriving) => {
      const lending = new PieceLender(
        { store, arrivals: { find: arriving }, proofs, signer: deps.signer, sent: (bytes) => observer.sent(bytes) },
        { maxUploads: options.maxUploads },
      );
      lender = lending;
      return {
        ...tracking.handlers,
        ...zones.handlers,
        hello: { kind: 'ask', handle: async () => ({}) },
        piece: { kind: 'bytes', handle: (body, caller, out, signal) => lending.lend(body, caller, out, signal) },
      };
    },
    close: async () => {
      lastCopies?.close();
      zones.close();
      announcer.close();
      directory.close();
      tracking.close();
      await db?.close();
    },
  };
}

function openLastCopies(
  { departures, members, client, store, background, now }: PieceMeshDeps,
  parts: Pick<PieceMesh, 'trackers' | 'calls' | 'service'> & OpenedDirectory & { alone: () => boolean },
  { patienceMs }: PieceMeshOptions,
): LastCopies | undefined {
  if (departures === undefined) return undefined;
  const { trackers, calls, service, directory, slabsOf, alone } = parts;
  const asking = new SpareCalls({ self: members.self, client, local: service, trackers, calls }, { patienceMs });
  return new LastCopies(
    {
      departures,
      store,
      calls: asking,
      dropped: (piece) => {
        for (const slab of slabsOf(piece)) trackers.tell(slab, { dropped: [piece.index - slab.first] });
      },
      tellHeld: (piece) => directory.tellHeld(piece),
      alone,
      background,
      now,
    },
    { keepsLast: members.self.role === 'seed' },
  );
}

/** Of a gateway that has no mesh: it asks nobody. */
export const NOBODY: MeshClient = {
  ask: nobody,
  lines: nobody,
  bytes: nobody,
};

function nobody(to: MemberId): Promise<never> {
  return Promise.reject(new MeshError('Closed', `This gateway has no mesh to find ${to} in.`));
}
