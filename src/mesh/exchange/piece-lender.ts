// Gives pieces to other gateways: what is on the shelf, and what is arriving here, as it comes. Never reads onward for
// them, so that no request can go in a circle. Whoever reads along counts as a reader: the piece goes on arriving.
import type { Arrivals } from '../../pieces/arrivals.ts';
import type { PieceReader } from '../../pieces/arriving.ts';
import { blockBytes } from '../../pieces/blocks.ts';
import { type Piece, pieceLength } from '../../pieces/piece.ts';
import type { PieceBytes, PieceStore } from '../../pieces/piece-store.ts';
import type { Member } from '../member.ts';
import { type ByteSink, MeshError } from '../transport.ts';
import { encodeFrame } from './frames.ts';
import { decodePieceRequest, type PieceRequest } from './piece-request.ts';
import type { BlockSigner } from './proof.ts';
import type { PieceProof, ProofBook, SignedDigest } from './proof-book.ts';

export interface PieceLenderDeps {
  readonly store: Pick<PieceStore, 'blockSize' | 'blocks' | 'read' | 'digests'>;
  readonly arrivals: Pick<Arrivals, 'find'>;
  readonly proofs: ProofBook;
  readonly signer: BlockSigner;
  readonly sent: (bytes: number) => void;
}

export interface PieceLenderOptions {
  /** Pieces given at once; one more is refused as 'Busy'. */
  readonly maxUploads: number;
}

/** The largest read from the shelf at once. */
const RUN_BYTES = 1024 * 1024;
/** How often it says that it is still waiting. */
const WAITING_MS = 300;

export class PieceLender {
  readonly #deps: PieceLenderDeps;
  readonly #options: PieceLenderOptions;
  #uploads = 0;

  constructor(deps: PieceLenderDeps, options: PieceLenderOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  get uploads(): number {
    return this.#uploads;
  }

  async lend(body: unknown, _caller: Member, out: ByteSink, signal: AbortSignal): Promise<void> {
    const request = decodePieceRequest(body);
    const { store, arrivals } = this.#deps;
    const arriving = arrivals.find(request.piece);
    arriving?.haste.hurry(request.urgency);
    const reader = arriving?.join();
    try {
      if (request.blockSize !== store.blockSize || !this.#has(request, reader)) throw notHeld();
      if (this.#uploads >= this.#options.maxUploads) {
        throw new MeshError('Busy', `${this.#options.maxUploads} pieces are being given, which is the limit.`);
      }
      this.#uploads += 1;
      try {
        await new Lending(this.#deps, request, reader, out).run(signal);
      } finally {
        this.#uploads -= 1;
      }
    } finally {
      reader?.leave();
    }
  }

  #has({ piece, blocks }: PieceRequest, reader: PieceReader | undefined): boolean {
    return reader !== undefined || this.#deps.store.blocks(piece).hasAll(blocks.first, blocks.end);
  }
}

/** One piece on its way to one gateway. */
class Lending {
  readonly #deps: PieceLenderDeps;
  readonly #request: PieceRequest;
  readonly #reader: PieceReader | undefined;
  readonly #out: ByteSink;
  readonly #lengthBytes: number;

  constructor(deps: PieceLenderDeps, request: PieceRequest, reader: PieceReader | undefined, out: ByteSink) {
    this.#deps = deps;
    this.#request = request;
    this.#reader = reader;
    this.#out = out;
    this.#lengthBytes = pieceLength(request.piece);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { blocks } = this.#request;
    let listed = await this.#listed();
    let isListed = false;
    for (let block = blocks.first; block < blocks.end; ) {
      const end = listed === undefined ? block + 1 : this.#runEnd(block);
      const bytes = await this.#take(this.#bytes(block).start, this.#bytes(end - 1).end, signal);
      try {
        const lengthBytes = bytes.bytes.length;
        // The list may have come together with the block.
        listed ??= await this.#listed();
        const head = listed === undefined ? await this.#signedHead(block, bytes) : runHead(block, lengthBytes);
        if (listed === undefined || isListed) await this.#out.write(head, bytes.bytes);
        else await this.#out.write(listed, head, bytes.bytes);
        isListed = listed !== undefined;
        this.#deps.sent(lengthBytes);
        block += Math.ceil(lengthBytes / this.#request.blockSize);
      } finally {
        bytes.release();
      }
    }
  }

  /** The digests, as they go out. Undefined: each block is to be signed. */
  async #listed(): Promise<Buffer | undefined> {
    const digests = await this.#digests();
    return digests && encodeFrame({ kind: 'digests', bytes: digests });
  }

  /** Of all blocks, where the piece is whole here, or came with them. */
  async #digests(): Promise<Buffer | undefined> {
    const { store, proofs } = this.#deps;
    const { piece, knowsRoot } = this.#request;
    if (!knowsRoot) return undefined;
    if (store.blocks(piece).isFull) return (await store.digests(piece))?.bytes;
    return proofs.find(piece)?.digests?.bytes;
  }

  async #signedHead(block: number, bytes: PieceBytes): Promise<Buffer> {
    const signed = await this.#signed(this.#request.piece, block, bytes);
    return encodeFrame({ kind: 'signed', block, lengthBytes: bytes.bytes.length, ...signed });
  }

  async #signed(piece: Piece, block: number, bytes: PieceBytes): Promise<SignedDigest> {
    const { proofs, signer, store } = this.#deps;
    const proof: PieceProof | undefined = proofs.find(piece);
    const known = proof?.signed.get(block);
    if (known !== undefined && this.#request.knowsReaders) return known;
    const digest = proof?.isReader === true ? await this.#digestOf(block, bytes) : undefined;
    if (digest === undefined || !this.#request.knowsReaders)
      throw new MeshError('Busy', 'The piece is on its way; what proves it is not at hand yet.');
    const made = { digest, signature: signer.sign(piece, block, store.blockSize, digest) };
    proof?.signed.set(block, made);
    return made;
  }

  /** As it was taken when the block came from the origin. */
  async #digestOf(block: number, bytes: PieceBytes): Promise<Buffer | undefined> {
    if (bytes.digest !== undefined) return Buffer.from(bytes.digest);
    return (await this.#deps.store.digests(this.#request.piece))?.of(block);
  }

  /** Blocks from this one on that can be read from the shelf at once. */
  #runEnd(block: number): number {
    const held = this.#deps.store.blocks(this.#request.piece);
    const most = Math.max(1, Math.floor(RUN_BYTES / this.#request.blockSize));
    const last = Math.min(this.#request.blocks.end, block + most);
    let end = block + 1;
    while (held.has(block) && end < last && held.has(end)) end += 1;
    return end;
  }

  async #take(start: number, end: number, signal: AbortSignal): Promise<PieceBytes> {
    const slice = { piece: this.#request.piece, start, end };
    const shelved = await this.#deps.store.read(slice);
    if (shelved !== undefined) return shelved;
    const arrived = await this.#patiently(this.#reader?.read(start, end, signal), signal);
    const bytes = arrived ?? (await this.#deps.store.read(slice));
    if (bytes === undefined) throw notHeld();
    return bytes;
  }

  /** Says every now and then that there is nothing to say. */
  async #patiently(
    reading: Promise<PieceBytes | undefined> | undefined,
    signal: AbortSignal,
  ): Promise<PieceBytes | undefined> {
    if (reading === undefined) return undefined;
    let taken = false;
    let waiting = Promise.resolve();
    const timer = setInterval(() => {
      waiting = waiting
        .then(() => (taken || signal.aborted ? undefined : this.#out.write(WAITING)))
        .catch(() => undefined);
    }, WAITING_MS);
    try {
      return await reading;
    } finally {
      taken = true;
      clearInterval(timer);
      await waiting;
    }
  }

  #bytes(block: number): { start: number; end: number } {
    return blockBytes(block, this.#lengthBytes, this.#request.blockSize);
  }
}

function runHead(block: number, lengthBytes: number): Buffer {
  return encodeFrame({ kind: 'run', block, lengthBytes });
}

const WAITING = encodeFrame({ kind: 'waiting' });

function notHeld(): MeshError {
  return new MeshError('NotHeld', 'This gateway does not have the piece, or not all of what was asked for.');
}
