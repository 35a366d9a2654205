// Gateways that hold, receive and give pieces, in one process and in memory; and holders that send what a test says.
import type { Urgency } from '../../src/concurrency/haste.ts';
import { PieceBorrower } from '../../src/mesh/exchange/piece-borrower.ts';
import { PieceLender } from '../../src/mesh/exchange/piece-lender.ts';
import { BlockSigner, rootOf } from '../../src/mesh/exchange/proof.ts';
import { ProofBook } from '../../src/mesh/exchange/proof-book.ts';
import type { Member, MemberId } from '../../src/mesh/member.ts';
import type { Proof } from '../../src/mesh/tracker/slab-state.ts';
import type { ByteSink } from '../../src/mesh/transport.ts';
import { Arrivals } from '../../src/pieces/arrivals.ts';
import { BufferPool } from '../../src/pieces/buffer-pool.ts';
import { BlockDigests, blockDigest } from '../../src/pieces/digests.ts';
import { type Piece, pieceLength } from '../../src/pieces/piece.ts';
import type { Feed } from '../../src/pieces/piece-feed.ts';
import { MemoryPieceStore } from './memory-piece-store.ts';
import { MemoryMesh } from './memory-trackers.ts';
import { contentOf, testVersion } from './piece-content.ts';

export const BLOCK = 4096;
export const BLOCKS = 5;
/** Its last block is short. */
export const PIECE: Piece = { version: testVersion('exchanged', 4 * BLOCK + 100, 4 * BLOCK + 100), index: 0 };
export const CONTENT = contentOf(PIECE);
const ALL = { first: 0, end: BLOCKS };

export function digestsOfContent(bytes = CONTENT): BlockDigests {
  const digests = BlockDigests.empty(BLOCKS);
  for (let block = 0; block < BLOCKS; block += 1) digests.set(block, blockDigest(blockOf(block, bytes)));
  return digests;
}

export function blockOf(block: number, bytes = CONTENT): Buffer {
  return bytes.subarray(block * BLOCK, (block + 1) * BLOCK);
}

export const ROOT = rootOf(digestsOfContent(), BLOCK);

export class Gateway {
  readonly self: Member;
  readonly store = new MemoryPieceStore({ blockSize: BLOCK });
  readonly arrivals: Arrivals;
  readonly proofs = new ProofBook({ maxPieces: 100 });
  readonly signer = new BlockSigner();
  readonly borrower: PieceBorrower;
  readonly lender: PieceLender;
  readonly bytes = { received: 0, sent: 0 };
  /** Whether its source has said that it waits. */
  readonly heard: boolean[] = [];

  constructor(mesh: MemoryMesh, id: MemberId, options: { maxUploads: number; silenceMs: number }) {
    this.self = { id, role: 'tracker', zone: undefined, incarnation: '1', key: this.signer.publicKey };
    this.arrivals = new Arrivals(
      { store: this.store, pool: new BufferPool({ maxFreeBytes: 1024 * 1024 }) },
      { windowBytes: 16 * BLOCK, maxArriving: 100, unwanted: () => undefined },
    );
    const { store, arrivals, proofs, signer } = this;
    this.borrower = new PieceBorrower(
      {
        client: mesh.client(this.self),
        proofs,
        patience: (limitMs) => limitMs,
        received: (bytes) => {
          this.bytes.received += bytes;
        },
      },
      { blockSize: BLOCK, silenceMs: options.silenceMs },
    );
    this.lender = new PieceLender(
      {
        store,
        arrivals,
        proofs,
        signer,
        sent: (bytes) => {
          this.bytes.sent += bytes;
        },
      },
      { maxUploads: options.maxUploads },
    );
    mesh.serve(id, {
      piece: { kind: 'bytes', handle: (body, caller, out, signal) => this.lender.lend(body, caller, out, signal) },
    });
  }

  /** It begins to receive the piece; blocks that it holds already are passed over when they come. */
  receive(range = ALL): Feed {
    return this.arrivals.feed(PIECE, range);
  }

  /** It is the one that reads the origin. */
  readsOrigin(): Feed {
    this.proofs.of(PIECE).isReader = true;
    return this.receive();
  }

  async borrow(
    from: MemberId,
    proof: Proof,
    feed: Feed,
    signal = new AbortController().signal,
    urgency: Urgency = 'demand',
  ): Promise<void> {
    const arriving = proof.readerKeys.length > 0;
    const waiting = (isWaiting: boolean) => this.heard.push(isWaiting);
    const loan = { from, proof, arriving, urgency, waiting };
    await this.borrower.borrow(PIECE, BLOCKS, feed, loan, signal);
    await feed.finish();
  }
}

export class ExchangeWorld {
  readonly mesh = new MemoryMesh();
  readonly #options: { maxUploads: number; silenceMs: number };

  constructor(options: { maxUploads?: number; silenceMs?: number } = {}) {
    this.#options = { maxUploads: 10, silenceMs: 60_000, ...options };
  }

  gateway(id: MemberId): Gateway {
    return new Gateway(this.mesh, id, this.#options);
  }

  /** A holder that sends this, whatever it is asked. */
  holder(id: MemberId, send: (out: ByteSink) => Promise<void>): void {
    this.mesh.serve(id, { piece: { kind: 'bytes', handle: (_body, _caller, out) => send(out) } });
  }
}

export async function pushBlocks(feed: Feed, first: number, end: number): Promise<void> {
  const bytes = CONTENT.subarray(first * BLOCK, Math.min(end * BLOCK, pieceLength(PIECE)));
  await feed.push(bytes, new AbortController().signal);
}
