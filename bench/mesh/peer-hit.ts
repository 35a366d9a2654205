// What a piece that another gateway holds costs, both ends together, beside plain undici asking plain node:http in the
// same run: `npm run bench:peer-hit -- [rounds]`. The piece is 4 MiB in memory and 256 KiB a block; what comes is proved
// by its digests, as in a gateway, and is not written to a disk.
import { setMaxListeners } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { request } from 'undici';
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
const PIECE_BYTES = 4 * MIB;
const BLOCKS = PIECE_BYTES / BLOCK;
const PIECES_A_ROUND = 64;
const SECRET = 'a secret of the bench, long enough';

const content = Buffer.alloc(PIECE_BYTES, 'the bytes of a piece ');
const digests = BlockDigests.empty(BLOCKS);
for (let block = 0; block < BLOCKS; block += 1) {
  digests.set(block, blockDigest(content.subarray(block * BLOCK, (block + 1) * BLOCK)));
}
const fields = { origin: 'o', bucket: 'b', key: 'k', etag: 'e', size: PIECE_BYTES, pieceSize: PIECE_BYTES };
const piece = { version: objectVersion(fields), index: 0 };
const never = new AbortController().signal;
setMaxListeners(0, never);

const bare = createServer((_req, res) => res.end(content)).listen(0, '127.0.0.1');
const server = await serveMesh();
const borrow = borrowerOf(`127.0.0.1:${server.port}`);
const plainUrl = `http://127.0.0.1:${(bare.address() as AddressInfo).port}/`;
const plain = async () => {
  const { body } = await request(plainUrl);
  for await (const _ of body);
};

const rounds = Number(process.argv[2] ?? 7);
const ratios: number[] = [];
await cpuOf(plain);
await cpuOf(borrow);
for (let round = 1; round <= rounds; round += 1) {
  const [theirs, ours] = [await cpuOf(plain), await cpuOf(borrow)];
  ratios.push(ours / theirs);
  const shown = `undici and node:http ${theirs.toFixed(2)}, mesh ${ours.toFixed(2)} CPU-s/GiB`;
  console.log(`round ${round}: ${shown}, ${(ours / theirs).toFixed(2)} times`);
}
const middle = ratios.toSorted((left, right) => left - right)[Math.floor(rounds / 2)] ?? Number.NaN;
console.log(`median: ${middle.toFixed(2)} times the CPU of plain undici and node:http`);
process.exit(0);

/** CPU-seconds for each GiB, both ends. */
async function cpuOf(fetchOne: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  for (let count = 0; count < PIECES_A_ROUND; count += 1) await fetchOne();
  const { user, system } = process.cpuUsage(before);
  return ((user + system) / 1e6) * (1024 / (PIECES_A_ROUND * (PIECE_BYTES / MIB)));
}

async function serveMesh(): Promise<MeshServer> {
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
    self: memberAt(listening.port),
    handlers: {
      piece: { kind: 'bytes', handle: (body, caller, out, signal) => lender.lend(body, caller, out, signal) },
    },
    listHash: () => 'abc',
    onMember: () => undefined,
    onListHash: () => undefined,
  });
  return listening;
}

function borrowerOf(from: string): () => Promise<void> {
  const about = {
    self: memberAt(1),
    listHash: () => 'abc',
    onMember: () => undefined,
    onListHash: () => undefined,
  };
  const client = new HttpMeshClient(about, { ...CLIENT_LIMITS, secret: SECRET });
  const borrower = new PieceBorrower(
    { client, proofs: new ProofBook({ maxPieces: 1 }), received: () => undefined },
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
  return async () => {
    const feed = arrivals.feed(piece, { first: 0, end: BLOCKS });
    await borrower.borrow(piece, BLOCKS, feed, loan, never);
    await feed.finish();
  };
}
