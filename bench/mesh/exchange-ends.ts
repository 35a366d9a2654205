// Both ends of a piece that one gateway holds and another gets: it is in memory on both sides, not on a disk, and what
// comes is proved by its digests, as in a gateway.
import { setMaxListeners } from 'node:events';
import { PieceBorrower } from '../../src/mesh/exchange/piece-borrower.ts';
import { PieceLender } from '../../src/mesh/exchange/piece-lender.ts';
import { BlockSigner, rootOf } from '../../src/mesh/exchange/proof.ts';
import { ProofBook } from '../../src/mesh/exchange/proof-book.ts';
import { HttpMeshClient } from '../../src/mesh/transport/http-mesh-client.ts';
import { MeshServer } from '../../src/mesh/transport/mesh-server.ts';
import { Arrivals } from '../../src/pieces/arrivals.ts';
import { BitSet } from '../../src/pieces/bit-set.ts';
import { BufferPool } from '../../src/pieces/buffer-pool.ts';
import { BlockDigests, blockDigest } from '../../src/pieces/digests.ts';
import { objectVersion } from '../../src/pieces/piece.ts';
import { CLIENT_LIMITS, memberAt, SERVER_LIMITS } from './limits.ts';

const MIB = 1024 * 1024;
const BLOCK = 256 * 1024;
export const PIECE_BYTES = 4 * MIB;
const BLOCKS = PIECE_BYTES / BLOCK;
const SECRET = 'a secret of the bench, long enough';

export const content = Buffer.alloc(PIECE_BYTES, 'the bytes of a piece ');
const digests = BlockDigests.empty(BLOCKS);
for (let block = 0; block < BLOCKS; block += 1) {
  digests.set(block, blockDigest(content.subarray(block * BLOCK, (block + 1) * BLOCK)));
}
const never = new AbortController().signal;
setMaxListeners(0, never);

/** `known`: by which address it is asked, where that is not its own. */
export async function serveMesh(known?: number): Promise<MeshServer> {
  const log = { warn: console.error, error: console.error };
  const limits = { ...SERVER_LIMITS, host: '127.0.0.1', port: 0, secret: SECRET };
  const listening = await MeshServer.listen({ log, refused: console.error }, limits);
  const store = {
    blockSize: BLOCK,
    blocks: () => BitSet.full(BLOCKS),
    read: ({ start, end }: { start: number; end: number }) =>
      Promise.resolve({ bytes: content.subarray(start, end), source: 'memory' as const, release: () => undefined }),
    digests: () => Promise.resolve(digests),
  };
  const nothing = { find: () => undefined };
  const proofs = new ProofBook({ maxPieces: 1 });
  const lender = new PieceLender(
    { store, arrivals: nothing, proofs, signer: new BlockSigner(), sent: () => undefined },
    { maxUploads: 8 },
  );
  listening.serve({
    self: memberAt(known ?? listening.port),
    handlers: {
      piece: { kind: 'bytes', handle: (body, caller, out, signal) => lender.lend(body, caller, out, signal) },
    },
    listHash: () => 'abc',
    onMember: () => undefined,
    onListHash: () => undefined,
  });
  return listening;
}

/** Gets a piece from there, each time another: any number may be on their way at once. */
export function borrowerOf(from: string): () => Promise<void> {
  const about = {
    self: memberAt(1),
    listHash: () => 'abc',
    onMember: () => undefined,
    onListHash: () => undefined,
  };
  const client = new HttpMeshClient(about, { ...CLIENT_LIMITS, secret: SECRET });
  const borrower = new PieceBorrower(
    { client, proofs: new ProofBook({ maxPieces: 16 }), received: () => undefined, patience: (limitMs) => limitMs },
    { blockSize: BLOCK, silenceMs: 10_000 },
  );
  const shelf = {
    blockSize: BLOCK,
    blocks: () => BitSet.none(BLOCKS),
    read: () => Promise.resolve(undefined),
    write: () => ({ write: () => Promise.resolve(true), close: () => Promise.resolve() }),
  };
  const arrivals = new Arrivals(
    { store: shelf, pool: new BufferPool({ maxFreeBytes: 64 * MIB }) },
    { windowBytes: MIB, maxArriving: 16, unwanted: () => undefined },
  );
  const loan = {
    from,
    proof: { root: rootOf(digests, BLOCK), readerKeys: [] },
    arriving: false,
    urgency: 'demand' as const,
    waiting: () => undefined,
  };
  let pieces = 0;
  return async () => {
    const fields = {
      origin: 'o',
      bucket: 'b',
      key: `k${pieces}`,
      etag: 'e',
      size: PIECE_BYTES,
      pieceSize: PIECE_BYTES,
    };
    pieces += 1;
    const piece = { version: objectVersion(fields), index: 0 };
    const feed = arrivals.feed(piece, { first: 0, end: BLOCKS });
    await borrower.borrow(piece, BLOCKS, feed, loan, never);
    await feed.finish();
  };
}
