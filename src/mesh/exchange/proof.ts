// How a gateway tells that bytes from another are those of the origin, though the one who sends them may lie. Of a whole
// piece the tracker knows the root: a digest over the digests of its blocks, told by who read the origin. Of a piece
// that is still arriving there is no root yet; who reads it signs each block, with a key that the tracker names.
import { createPublicKey, generateKeyPairSync, hash, type KeyObject, sign, verify } from 'node:crypto';
import { BlockDigests, DIGEST_BYTES } from '../../pieces/digests.ts';
import type { Piece } from '../../pieces/piece.ts';

export const SIGNATURE_BYTES = 64;

/** SHA-256 in hexadecimal, over the size of a block and the digests of all blocks in order. */
export function rootOf(digests: BlockDigests, blockSize: number): string {
  return hash('sha256', Buffer.concat([Buffer.from(`dfstore piece 1\n${blockSize}\n`), digests.bytes]), 'hex');
}

/** Undefined: these are not the digests that the root names. */
export function digestsOf(root: string, bytes: Uint8Array, blockSize: number): BlockDigests | undefined {
  if (bytes.length % DIGEST_BYTES !== 0) return undefined;
  const digests = new BlockDigests(bytes);
  return rootOf(digests, blockSize) === root ? digests : undefined;
}

/** What is signed: that this block of this version, cut like this, has this digest. The version's id has a fixed length. */
function statement(piece: Piece, block: number, blockSize: number, digest: Uint8Array): Buffer {
  const numbers = Buffer.alloc(12);
  numbers.writeUInt32BE(piece.index, 0);
  numbers.writeUInt32BE(block, 4);
  numbers.writeUInt32BE(blockSize, 8);
  return Buffer.concat([Buffer.from(`dfstore block 1\n${piece.version.id}`), numbers, digest]);
}

/** A gateway's own key of this run. */
export class BlockSigner {
  /** Raw, in base64url. */
  readonly publicKey: string;
  readonly #key: KeyObject;

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    this.#key = privateKey;
    this.publicKey = publicKey.export({ format: 'jwk' }).x ?? '';
  }

  sign(piece: Piece, block: number, blockSize: number, digest: Uint8Array): Buffer {
    return sign(null, statement(piece, block, blockSize, digest), this.#key);
  }
}

/** Checks what any of some gateways signed. */
export class BlockVerifier {
  /** The one that was right last goes first. */
  readonly #keys: KeyObject[];

  /** Throws on what is no key. */
  constructor(publicKeys: readonly string[]) {
    this.#keys = publicKeys.map((x) => createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }));
  }

  accepts(piece: Piece, block: number, blockSize: number, digest: Uint8Array, signature: Uint8Array): boolean {
    const stated = statement(piece, block, blockSize, digest);
    const at = this.#keys.findIndex((key) => verify(null, stated, key, signature));
    if (at > 0) this.#keys.unshift(...this.#keys.splice(at, 1));
    return at !== -1;
  }
}
