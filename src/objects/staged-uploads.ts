// A body on its way to the origin, whose pieces are put on the shelf as it passes, and whose last bytes wait until the
// gateway has revoked what was known of the key: an origin commits with the last byte, and nothing old may be served
// after that.
import { Transform, type TransformCallback } from 'node:stream';
import type { UploadBody } from '../../backends/backend.ts';
import type { BufferPool } from '../pieces/buffer-pool.ts';
import type { ObjectVersion, Piece } from '../pieces/piece.ts';
import type { PieceStore } from '../pieces/piece-store.ts';
import { StagedObject, type StagingOptions } from '../pieces/staging.ts';
import type { OriginObject } from './origin-object.ts';

export interface StagedUpload {
  readonly body: UploadBody;
  /** The origin has it under this etag. Never rejects. */
  commit(etag: string): Promise<void>;
  /** The origin does not have it. Never rejects. */
  abandon(): Promise<void>;
}

export interface StagedUploadsDeps {
  readonly store: PieceStore;
  readonly pool: BufferPool;
  /** Others may have these from here. */
  readonly announce: (pieces: readonly Piece[]) => void;
}

export class StagedUploads {
  readonly #deps: StagedUploadsDeps;
  readonly #options: StagingOptions & { pieceSize: number };

  constructor(deps: StagedUploadsDeps, options: StagingOptions & { pieceSize: number }) {
    this.#deps = deps;
    this.#options = options;
  }

  /** `beforeLast` is awaited once, before the last byte is given to the origin; its failure fails the body. */
  begin(origin: OriginObject, body: UploadBody, beforeLast: () => Promise<void>): StagedUpload {
    const { bucket, key } = origin.ref;
    const { pieceSize } = this.#options;
    const staged = new StagedObject(this.#deps, this.#options, {
      origin: origin.origin,
      bucket,
      key,
      size: body.sizeBytes,
      pieceSize,
    });
    const stream = new WatchedBody(body.sizeBytes, staged, beforeLast);
    // An error of the client's body reaches the backend unchanged; what the backend does to its end stays there.
    body.stream.on('error', (error) => stream.destroy(error));
    // A body may break before the backend, waiting for its turn, listens; it finds the error when it begins to read.
    stream.on('error', () => undefined);
    body.stream.pipe(stream);
    return {
      body: { sizeBytes: body.sizeBytes, declared: body.declared, stream, digests: () => body.digests() },
      commit: async (etag) => {
        const version = await staged.commit(etag);
        if (version !== undefined) this.#announce(version);
      },
      abandon: () => staged.abandon(),
    };
  }

  #announce(version: ObjectVersion): void {
    const held = this.#deps.store.held(version);
    this.#deps.announce([...held].map((index) => ({ version, index })));
  }
}

class WatchedBody extends Transform {
  readonly #staged: StagedObject;
  readonly #beforeLast: () => Promise<void>;
  #leftBytes: number;

  constructor(sizeBytes: number, staged: StagedObject, beforeLast: () => Promise<void>) {
    super({ readableHighWaterMark: 256 * 1024 });
    this.#leftBytes = sizeBytes;
    this.#staged = staged;
    this.#beforeLast = beforeLast;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#pass(chunk).then(
      () => done(null, chunk),
      (error: Error) => done(error),
    );
  }

  /** An empty body has no last byte: its end is what the origin commits with. */
  override _flush(done: TransformCallback): void {
    if (this.#leftBytes > 0) done(new Error(`The body ended ${this.#leftBytes} bytes short.`));
    else done();
  }

  async #pass(chunk: Buffer): Promise<void> {
    this.#leftBytes -= chunk.length;
    await this.#staged.write(chunk);
    if (this.#leftBytes === 0) await this.#beforeLast();
  }
}
