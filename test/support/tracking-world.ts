// Several gateways' trackers in one process, and their ways to ask them.
import { Background } from '../../src/concurrency/background.ts';
import type { Member, MemberId } from '../../src/mesh/member.ts';
import { OwnerCalls } from '../../src/mesh/owner-calls.ts';
import type { Slab } from '../../src/mesh/slab.ts';
import { slabOwners, TrackerView } from '../../src/mesh/slab-owners.ts';
import { Tracker } from '../../src/mesh/tracker/tracker.ts';
import type { TrackerDb } from '../../src/mesh/tracker/tracker-db.ts';
import { TrackerService, type TrackerServiceOptions } from '../../src/mesh/tracker/tracker-service.ts';
import { TrackerClient } from '../../src/mesh/tracker-client.ts';
import { MemoryMesh } from './memory-trackers.ts';
import { seeded } from './seeded.ts';
import { TRACKER_OPTIONS } from './tracker-world.ts';

export interface TrackingMember {
  readonly self: Member;
  readonly tracker: Tracker;
  readonly service: TrackerService;
  readonly client: TrackerClient;
  readonly calls: OwnerCalls;
  readonly background: Background;
  readonly refused: { readonly member: MemberId; readonly pieces: readonly number[] }[];
}

export class TrackingWorld {
  readonly mesh = new MemoryMesh();
  readonly members = new Map<MemberId, TrackingMember>();
  /** The list of trackers as all of them have it. */
  view: TrackerView;
  now: () => number = () => performance.now();
  /** How long they wait where the limit is this. */
  patience: (limitMs: number) => number = (limitMs) => limitMs;
  readonly errors: unknown[] = [];
  readonly #zoneOf: (id: MemberId) => string | undefined;

  /** `zoneOf`: where a member is. */
  constructor(ids: readonly MemberId[], zoneOf: (id: MemberId) => string | undefined = () => undefined) {
    this.#zoneOf = zoneOf;
    this.view = new TrackerView(ids, zoneOf);
    for (const id of ids) this.start(id);
  }

  member(id: MemberId): TrackingMember {
    const member = this.members.get(id);
    if (member === undefined) throw new Error(`There is no ${id}.`);
    return member;
  }

  /** Again, too: as after a restart, with nothing in memory. */
  start(
    id: MemberId,
    options: Partial<TrackerServiceOptions> & { db?: Pick<TrackerDb, 'holdings'> } = {},
  ): TrackingMember {
    this.members.get(id)?.service.close();
    const { db, ...service } = options;
    const self: Member = { id, role: 'tracker', zone: this.#zoneOf(id), incarnation: '1', key: `key of ${id}` };
    const background = new Background({ failed: (_, error) => this.errors.push(error) });
    const made = this.#make(self, background, service, db);
    this.members.set(id, made);
    this.mesh.serve(id, { ...made.service.handlers, hello: { kind: 'ask', handle: async () => ({}) } });
    return made;
  }

  #make(
    self: Member,
    background: Background,
    service: Partial<TrackerServiceOptions>,
    db: Pick<TrackerDb, 'holdings'> | undefined,
  ): TrackingMember {
    const now = () => this.now();
    const refused: TrackingMember['refused'] = [];
    const view = () => this.view;
    const alone = () => this.view.trackers.length === 1;
    const client = this.mesh.client(self);
    const calls = new OwnerCalls({ now }, { downMs: 2_000 });
    const tracker: Tracker = new Tracker(
      { now, random: seeded(1), alone, suspected: (id) => tracking.suspect(id), changed: () => undefined },
      TRACKER_OPTIONS,
    );
    const tracking: TrackerService = new TrackerService(
      {
        tracker,
        db,
        client,
        calls,
        self,
        view,
        now,
        background,
        patience: (ms) => this.patience(ms),
        refused: (event) => refused.push(event),
      },
      { longPollMs: 10_000, patienceMs: 1_000, peekMs: 1_000, ...service },
    );
    const asking = new TrackerClient(
      { client, self, view, local: tracking, calls, background },
      { owners: 2, tellMs: 1_000 },
    );
    return { self, tracker, service: tracking, client: asking, calls, background, refused };
  }

  /** A slab that these members answer for, in this order. */
  slabOwnedBy(first: MemberId, second?: MemberId): Slab {
    for (let index = 1; ; index += 1) {
      const key = `${'0'.repeat(40)}.4096.${index}`;
      const slab = { key, ownerKey: key, first: index * 256, pieces: 256 };
      const [one, two] = slabOwners(slab, this.view);
      if (one === first && (second === undefined || two === second)) return slab;
    }
  }

  ownersOf(slab: Slab): readonly MemberId[] {
    return slabOwners(slab, this.view);
  }

  close(): void {
    for (const { service } of this.members.values()) service.close();
  }
}
