// How the gateways of the mesh do, for operators: each is asked, a bounded number of them in all and at once.
import pLimit from 'p-limit';
import { z } from 'zod';
import type { Member, MemberId, Role } from './member.ts';
import { type Handlers, type MeshClient, MeshError } from './transport.ts';

const reportSchema = z.object({
  version: z.string(),
  /** In its cache. */
  pieces: z.number(),
  diskBytes: z.number(),
  /** Pieces that it knows the holders of. */
  tracked: z.number(),
  /** Pieces that it gives to others now. */
  uploads: z.number(),
  /** Names of objects that it answers for. */
  names: z.number(),
});

/** What a gateway says of itself when it is asked. */
export type MemberReport = z.infer<typeof reportSchema>;

export interface SeenMember {
  readonly id: MemberId;
  /** Undefined: it was never heard of. */
  readonly role: Role | undefined;
  readonly zone: string | undefined;
  /** It is on the list of trackers. */
  readonly listed: boolean;
  readonly answers: boolean;
  /** Why it does not answer. */
  readonly problem?: string | undefined;
  /** Undefined: it does not answer, or is of a version that does not tell. */
  readonly report?: MemberReport | undefined;
}

export interface MeshSight {
  /** This gateway first; then by id. Whoever is not listed and does not answer is gone, and not among them. */
  readonly members: readonly SeenMember[];
  /** Members there was no asking any more. */
  readonly unasked: number;
}

export interface MeshOverviewDeps {
  readonly members: {
    readonly self: Member;
    trackers(): readonly MemberId[];
    known(): readonly Member[];
    about(id: MemberId): Member | undefined;
  };
  readonly client: Pick<MeshClient, 'ask'>;
  readonly report: () => MemberReport;
}

export interface MeshOverviewOptions {
  /** Other gateways asked in all. */
  readonly maxAsked: number;
  readonly atOnce: number;
}

export class MeshOverview {
  readonly handlers: Handlers;
  readonly #deps: MeshOverviewDeps;
  readonly #options: MeshOverviewOptions;

  constructor(deps: MeshOverviewDeps, options: MeshOverviewOptions) {
    this.#deps = deps;
    this.#options = options;
    this.handlers = { status: { kind: 'ask', handle: async () => deps.report() } };
  }

  /** Asks everybody. Rejects only when the signal aborts. */
  async look(signal: AbortSignal): Promise<MeshSight> {
    const { members, report } = this.#deps;
    const listed = new Set(members.trackers());
    const ids = new Set([...listed, ...members.known().map(({ id }) => id)]);
    ids.delete(members.self.id);
    const others = [...ids].toSorted();
    const limit = pLimit(this.#options.atOnce);
    const asked = others.slice(0, this.#options.maxAsked);
    const seen = await Promise.all(asked.map((id) => limit(() => this.#see(id, listed.has(id), signal))));
    const { id, role, zone } = members.self;
    const self: SeenMember = { id, role, zone, listed: listed.has(id), answers: true, report: report() };
    return {
      members: [self, ...seen.filter((member) => member.listed || member.answers)],
      unasked: others.length - asked.length,
    };
  }

  async #see(id: MemberId, listed: boolean, signal: AbortSignal): Promise<SeenMember> {
    const { client, members } = this.#deps;
    const seen = (answers: boolean): SeenMember => {
      // What its answer said of it is known by now.
      const about = members.about(id);
      return { id, role: about?.role, zone: about?.zone, listed, answers };
    };
    try {
      const parsed = reportSchema.safeParse(await client.ask(id, 'status', {}, signal));
      return { ...seen(true), report: parsed.data };
    } catch (error) {
      signal.throwIfAborted();
      // An earlier version answers that it does not know the call.
      if (error instanceof MeshError && error.code === 'Malformed') return seen(true);
      return { ...seen(false), problem: error instanceof Error ? error.message : String(error) };
    }
  }
}
