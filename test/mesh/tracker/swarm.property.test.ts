// Whatever the order in which things happen: every piece gets to everybody, is read from the origin once, nobody waits
// for himself, and in the end nothing is left behind.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SlabState } from '../../../src/mesh/tracker/slab-state.ts';
import { seeded } from '../../support/seeded.ts';
import { TrackerWorld } from '../../support/tracker-world.ts';

interface Peer {
  readonly id: string;
  readonly held: Set<number>;
  /** Pieces on their way, with how many steps each still takes. */
  readonly underWay: Map<number, { source: string; stepsLeft: number }>;
  readonly asked: Set<number>;
}

const STEP_MS = 50;

/** A swarm in which every transfer takes a few steps and goes on only while its source has more. */
class Swarm {
  readonly world: TrackerWorld;
  readonly peers: Peer[];
  readonly #random: () => number;
  readonly #pieces: number;
  readonly #window: number;
  readonly #failing: number;
  originReads = 0;
  failures = 0;

  /** `failing`: how likely each transfer is to break off in each step. */
  constructor(settings: {
    seed: number;
    peers: number;
    pieces: number;
    uploadSlots: number;
    window: number;
    failing: number;
  }) {
    this.#random = seeded(settings.seed);
    this.#pieces = settings.pieces;
    this.#window = settings.window;
    this.#failing = settings.failing;
    this.world = new TrackerWorld({ uploadSlots: settings.uploadSlots }, this.#random);
    this.peers = Array.from({ length: settings.peers }, (_, peer) => ({
      id: `p${peer}`,
      held: new Set(),
      underWay: new Map(),
      asked: new Set(),
    }));
  }

  get isDone(): boolean {
    return this.peers.every(({ held }) => held.size === this.#pieces);
  }

  step(): void {
    const inTurn = this.peers.toSorted(() => this.#random() - 0.5);
    for (const peer of inTurn) if (this.#random() < 0.7) this.#act(peer);
    this.world.pass(STEP_MS);
    const state = this.world.tracker.find(this.world.slab.key);
    if (state !== undefined) expectNoLoops(state);
  }

  #act(peer: Peer): void {
    const wanted = Array.from({ length: this.#pieces }, (_, piece) => piece).filter(
      (piece) => !peer.held.has(piece) && !peer.asked.has(piece),
    );
    const room = this.#window - peer.asked.size;
    if (room > 0 && wanted.length > 0) this.#ask(peer, wanted.slice(0, room));
    for (const [piece, transfer] of [...peer.underWay]) {
      const mayGoOn = this.#stepsLeft(transfer.source, piece) < transfer.stepsLeft;
      if (mayGoOn) transfer.stepsLeft -= 1;
      if (this.#random() < this.#failing) this.#fail(peer, piece, transfer.source);
      else if (transfer.stepsLeft === 0) this.#finish(peer, piece);
      else this.world.progress(peer.id, piece, 10 - transfer.stepsLeft, { waiting: !mayGoOn });
    }
  }

  /** What came stays; the rest comes from elsewhere. */
  #fail(peer: Peer, piece: number, source: string): void {
    this.failures += 1;
    const stepsLeft = peer.underWay.get(piece)?.stepsLeft;
    peer.underWay.delete(piece);
    if (source !== 'origin') {
      this.world.tracker.complain(this.world.slab.key, this.world.member(peer.id), source, piece, 'short');
    }
    this.#ask(peer, [piece], Math.max(1, stepsLeft ?? 3), source === 'origin' ? [] : [source]);
  }

  #ask(peer: Peer, pieces: readonly number[], stepsLeft = 3, avoid: readonly string[] = []): void {
    for (const piece of pieces) peer.asked.add(piece);
    this.world.tracker.acquire(
      { slab: this.world.slab, pieces, avoid },
      this.world.member(peer.id),
      (piece, decision) => {
        const source = decision.kind === 'leased' ? 'origin' : decision.from;
        if (source === 'origin') this.originReads += 1;
        peer.underWay.set(piece, { source, stepsLeft });
      },
    );
  }

  #finish(peer: Peer, piece: number): void {
    peer.underWay.delete(piece);
    peer.asked.delete(piece);
    peer.held.add(piece);
    expect(this.world.announce(peer.id, [piece])).toEqual([]);
  }

  /** Of what the source has of the piece: 0 where it has all. */
  #stepsLeft(source: string, piece: number): number {
    if (source === 'origin') return 0;
    const peer = this.peers.find(({ id }) => id === source);
    if (peer?.held.has(piece)) return 0;
    return peer?.underWay.get(piece)?.stepsLeft ?? Number.POSITIVE_INFINITY;
  }
}

function expectNoLoops(state: SlabState): void {
  for (const [piece, receiver] of state.allReceivers()) {
    expect(state.isLoop(piece, receiver)).toBe(false);
  }
}

const settings = fc.record({
  seed: fc.integer({ min: 0, max: 2 ** 31 }),
  peers: fc.integer({ min: 1, max: 12 }),
  pieces: fc.integer({ min: 1, max: 12 }),
  uploadSlots: fc.integer({ min: 1, max: 4 }),
  window: fc.integer({ min: 1, max: 6 }),
});

function runToItsEnd(chosen: ConstructorParameters<typeof Swarm>[0]): Swarm {
  const swarm = new Swarm(chosen);
  for (let steps = 0; !swarm.isDone; steps += 1) {
    expect(steps, 'somebody waits in vain').toBeLessThan(2_000);
    swarm.step();
  }
  const { tracker, slab } = swarm.world;
  expect(tracker.find(slab.key)?.isIdle).toBe(true);
  expect(swarm.peers.map(({ id }) => tracker.uploadsOf(id))).toEqual(swarm.peers.map(() => 0));
  return swarm;
}

test('every piece gets to everybody, read from the origin once, with nothing left behind', () => {
  fc.assert(
    fc.property(settings, (chosen) => {
      expect(runToItsEnd({ ...chosen, failing: 0 }).originReads).toBe(chosen.pieces);
    }),
    { numRuns: 150 },
  );
});

test('where transfers break off every piece still gets to everybody, and what broke is all that is read again', () => {
  fc.assert(
    fc.property(settings, (chosen) => {
      const { originReads, failures } = runToItsEnd({ ...chosen, failing: 0.1 });
      expect(originReads).toBeGreaterThanOrEqual(chosen.pieces);
      expect(originReads).toBeLessThanOrEqual(chosen.pieces + failures);
    }),
    { numRuns: 150 },
  );
});
