// Which zones the trackers on the list are in. The list names them only, and each says of itself where it is: trackers
// greet those of whom they have heard nothing, and other gateways ask a tracker for all that it has heard, so that not
// everybody has to talk to everybody. Nothing is learnt where this gateway is in no zone.

import pLimit from 'p-limit';
import { z } from 'zod';
import type { Background } from '../concurrency/background.ts';
import { patienceSignal } from '../concurrency/patience.ts';
import { isTracker, type Member, type MemberId } from './member.ts';
import { TrackerView } from './slab-owners.ts';
import type { Handlers, MeshClient } from './transport.ts';

export interface TrackerZonesDeps {
  readonly members: {
    readonly self: Member;
    trackers(): readonly MemberId[];
    about(id: MemberId): Pick<Member, 'zone'> | undefined;
  };
  readonly client: Pick<MeshClient, 'ask'>;
  readonly background: Background;
  /** In [0, 1). */
  readonly random: () => number;
  /** All that could be learnt of the list was. */
  readonly learnt: () => void;
}

export interface TrackerZonesOptions {
  /** How long one gateway may take to answer. */
  readonly patienceMs: number;
}

const NO_ZONE = '';
const member = z.string().min(1).max(300);
/** By zone; those that are in none under no name. */
const zonesSchema = z.object({ zones: z.record(z.string().max(128), z.array(member)) });

const GREETED_AT_ONCE = 8;
/** Until those of whom nothing is known are asked for again; doubled while that brings nothing. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

export class TrackerZones {
  readonly handlers: Handlers = { zones: { kind: 'ask', handle: async () => this.#heard() } };
  readonly #deps: TrackerZonesDeps;
  readonly #options: TrackerZonesOptions;
  readonly #closing = new AbortController();
  /** By others, of trackers from whom nothing was heard. */
  readonly #told = new Map<MemberId, string>();
  #view: TrackerView;
  #learning = false;
  #pauseMs = FIRST_PAUSE_MS;
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: TrackerZonesDeps, options: TrackerZonesOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#view = this.#look();
  }

  /** The same one until something is another. */
  view(): TrackerView {
    if (this.#view.trackers !== this.#deps.members.trackers()) this.#view = this.#look();
    return this.#view;
  }

  /** The list may have changed. */
  update(): void {
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#learnNow();
  }

  close(): void {
    this.#closing.abort();
    clearTimeout(this.#timer);
  }

  #learnNow(): void {
    if (this.#learning || this.#closing.signal.aborted) return;
    this.#learning = true;
    clearTimeout(this.#timer);
    this.#deps.background.run(
      'zones',
      this.#learn().finally(() => {
        this.#learning = false;
      }),
    );
  }

  async #learn(): Promise<void> {
    const { members, learnt } = this.#deps;
    const list = members.trackers();
    if (members.self.zone !== undefined) await this.#ask(list.filter((id) => this.#zoneOf(id) === undefined));
    if (this.#closing.signal.aborted) return;
    const view = this.#look();
    if (view.hash !== this.#view.hash) this.#view = view;
    learnt();
    const isOther = members.trackers() !== list;
    const isKnown = list.every((id) => this.#zoneOf(id) !== undefined);
    this.#timer = setTimeout(() => this.#learnNow(), isOther ? 0 : this.#pause(isKnown)).unref();
  }

  /** What is known is looked at again too: a gateway may have come back in another zone. */
  #pause(isKnown: boolean): number {
    if (isKnown) return LONGEST_PAUSE_MS;
    const pauseMs = this.#pauseMs;
    this.#pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
    return pauseMs;
  }

  async #ask(unknown: readonly MemberId[]): Promise<void> {
    if (unknown.length === 0) return;
    const { self } = this.#deps.members;
    if (isTracker(self)) {
      const limit = pLimit(GREETED_AT_ONCE);
      await Promise.all(unknown.map((id) => limit(() => this.#askOne(id, 'hello'))));
      return;
    }
    const list = this.#deps.members.trackers();
    const asked = list[Math.floor(this.#deps.random() * list.length)];
    const answer = zonesSchema.safeParse(asked === undefined ? undefined : await this.#askOne(asked, 'zones'));
    if (!answer.success) return;
    const listed = new Set(list);
    for (const [zone, ids] of Object.entries(answer.data.zones)) {
      for (const id of ids) if (listed.has(id)) this.#told.set(id, zone);
    }
  }

  /** Undefined: no answer, which is asked for again before long. */
  async #askOne(id: MemberId, call: 'hello' | 'zones'): Promise<unknown> {
    const limit = AbortSignal.any([this.#closing.signal, patienceSignal(this.#options.patienceMs)]);
    return this.#deps.client.ask(id, call, {}, limit).catch(() => undefined);
  }

  #look(): TrackerView {
    const { members } = this.#deps;
    const { zone } = members.self;
    return new TrackerView(members.trackers(), (id) => (zone && this.#zoneOf(id)) || undefined);
  }

  /** NO_ZONE: it is known to be in none. What a tracker says of itself goes before what others say. */
  #zoneOf(id: MemberId): string | undefined {
    const about = this.#deps.members.about(id);
    return about === undefined ? this.#told.get(id) : (about.zone ?? NO_ZONE);
  }

  /** From the trackers themselves: what others say is not passed on. */
  #heard(): z.infer<typeof zonesSchema> {
    const { members } = this.#deps;
    const zones = new Map<string, MemberId[]>();
    for (const id of members.trackers()) {
      const about = members.about(id);
      if (about === undefined) continue;
      const zone = about.zone ?? NO_ZONE;
      zones.set(zone, [...(zones.get(zone) ?? []), id]);
    }
    return { zones: Object.fromEntries(zones) };
  }
}
