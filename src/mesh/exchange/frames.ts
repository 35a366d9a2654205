// A piece on the wire between two gateways: frames of a 12-byte head and a payload. The digests of a whole piece come
// first, then runs of its blocks; a block of a piece that is still arriving comes with its own digest, signed. What
// waits for its source says so, so that the one who waits for it can tell patience from a dead line.
import { DIGEST_BYTES } from '../../pieces/digests.ts';
import { type ByteTarget, MeshError } from '../transport.ts';
import { SIGNATURE_BYTES } from './proof.ts';

export const HEAD_BYTES = 12;

const KINDS = ['digests', 'run', 'signed', 'waiting'] as const;
type FrameKind = (typeof KINDS)[number];

export type Frame =
  /** The digests of all blocks of the piece. */
  | { readonly kind: 'digests'; readonly bytes: Buffer }
  /** So many bytes from the beginning of this block on follow. */
  | { readonly kind: 'run'; readonly block: number; readonly lengthBytes: number }
  | {
      readonly kind: 'signed';
      readonly block: number;
      readonly lengthBytes: number;
      readonly digest: Buffer;
      readonly signature: Buffer;
    }
  | { readonly kind: 'waiting' };

/** A head, with what belongs to it before the bytes of blocks. */
export function encodeFrame(frame: Frame): Buffer {
  switch (frame.kind) {
    case 'digests':
      return Buffer.concat([head('digests', 0, frame.bytes.length), frame.bytes]);
    case 'run':
      return head('run', frame.block, frame.lengthBytes);
    case 'signed':
      return Buffer.concat([head('signed', frame.block, frame.lengthBytes), frame.digest, frame.signature]);
    case 'waiting':
      return head('waiting', 0, 0);
  }
}

function head(kind: FrameKind, block: number, lengthBytes: number): Buffer {
  const bytes = Buffer.alloc(HEAD_BYTES);
  bytes.writeUInt32BE(KINDS.indexOf(kind) + 1, 0);
  bytes.writeUInt32BE(block, 4);
  bytes.writeUInt32BE(lengthBytes, 8);
  return bytes;
}

/** Told of frames; after a 'run' or a 'signed' its bytes go where it says. */
export interface FrameTarget extends ByteTarget {
  frame(frame: Frame): void;
}

interface Head {
  readonly kind: FrameKind;
  readonly block: number;
  readonly lengthBytes: number;
}

export class FrameReader implements ByteTarget {
  readonly #target: FrameTarget;
  readonly #maxDigestBytes: number;
  /** Of a head, or of what belongs to it. */
  #collected: Buffer = Buffer.allocUnsafe(HEAD_BYTES);
  #collectedBytes = 0;
  #head: Head | undefined;
  #payloadLeft = 0;

  /** A larger list of digests is refused before it is read. */
  constructor(target: FrameTarget, options: { maxBlocks: number }) {
    this.#target = target;
    this.#maxDigestBytes = options.maxBlocks * DIGEST_BYTES;
  }

  space(): Uint8Array | Promise<void> {
    if (this.#payloadLeft === 0) return this.#collected.subarray(this.#collectedBytes);
    const space = this.#target.space();
    return space instanceof Uint8Array && space.length > this.#payloadLeft
      ? space.subarray(0, this.#payloadLeft)
      : space;
  }

  /** Throws 'Malformed', and what the target throws. */
  taken(bytes: number): void {
    if (this.#payloadLeft > 0) {
      this.#payloadLeft -= bytes;
      this.#target.taken(bytes);
      return;
    }
    this.#collectedBytes += bytes;
    if (this.#collectedBytes === this.#collected.length) this.#collect(this.#collected);
  }

  #collect(bytes: Buffer): void {
    const known = this.#head;
    if (known === undefined) this.#readHead(bytes);
    else this.#readBelongings(known, bytes);
  }

  #readHead(bytes: Buffer): void {
    const kind = KINDS[bytes.readUInt32BE(0) - 1];
    if (kind === undefined) throw new MeshError('Malformed', 'A piece came in a form that this gateway does not know.');
    const read = { kind, block: bytes.readUInt32BE(4), lengthBytes: bytes.readUInt32BE(8) };
    if (kind === 'run') this.#emit({ ...read, kind });
    else if (kind === 'waiting') this.#emit({ kind });
    else {
      this.#head = read;
      const missing = kind === 'signed' ? DIGEST_BYTES + SIGNATURE_BYTES : read.lengthBytes;
      if (missing > Math.max(this.#maxDigestBytes, DIGEST_BYTES + SIGNATURE_BYTES)) {
        throw new MeshError('Malformed', `A piece came with ${missing} bytes of digests.`);
      }
      this.#expect(missing);
    }
  }

  #readBelongings({ kind, block, lengthBytes }: Head, bytes: Buffer): void {
    this.#head = undefined;
    if (kind === 'digests') this.#emit({ kind, bytes });
    else {
      const [digest, signature] = [bytes.subarray(0, DIGEST_BYTES), bytes.subarray(DIGEST_BYTES)];
      this.#emit({ kind: 'signed', block, lengthBytes, digest, signature });
    }
  }

  #emit(frame: Frame): void {
    this.#expect(HEAD_BYTES);
    if ('lengthBytes' in frame) this.#payloadLeft = frame.lengthBytes;
    this.#target.frame(frame);
  }

  #expect(bytes: number): void {
    this.#collected = Buffer.allocUnsafe(bytes);
    this.#collectedBytes = 0;
  }
}
