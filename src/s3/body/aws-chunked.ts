// S3's own chunked framing inside the HTTP body, with or without signatures, with or without trailers, taken off as a
// stream: no chunk is ever kept, however large. What it cannot know, the decoded length and the digests, the guard
// around it checks. https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
import { createHash, type Hash } from 'node:crypto';
import type { BodyDecoder } from '../../objects/guarded-body.ts';
import { type ChunkSeed, ChunkSignatures } from '../auth/chunk-signatures.ts';
import { S3Error } from '../errors.ts';
import { TrailerSection } from './trailer-section.ts';

/** A chunk's first line: its size in hexadecimal and, when signed, its signature. */
const MAX_LINE_BYTES = 256;
const MIN_SIGNED_CHUNK_BYTES = 8192;
const NOTHING = Buffer.alloc(0);

interface AwsChunkedOptions {
  /** Set: every chunk is signed, the first in the chain by this. */
  readonly seed: ChunkSeed | undefined;
  /** Whether trailers may follow the last chunk. */
  readonly trailer: boolean;
  /** Lower-case names, as x-amz-trailer announces them. */
  readonly trailerNames: readonly string[];
}

type State = 'size' | 'data' | 'data-end' | 'trailers' | 'last-line' | 'done';

export class AwsChunkedDecoder implements BodyDecoder {
  readonly #signatures: ChunkSignatures | undefined;
  readonly #trailers: TrailerSection | undefined;
  readonly #afterLastChunk: State;
  #state: State = 'size';
  #line = '';
  #chunkBytes = Number.POSITIVE_INFINITY;
  #chunkBytesLeft = 0;
  #chunkSignature = '';
  #chunkHash: Hash | undefined;

  constructor(options: AwsChunkedOptions) {
    this.#signatures = options.seed && new ChunkSignatures(options.seed);
    this.#trailers = options.trailer ? new TrailerSection(options.trailerNames, this.#signatures) : undefined;
    this.#afterLastChunk = options.trailer ? 'trailers' : 'last-line';
  }

  decode(chunk: Buffer, give: (bytes: Buffer) => void): void {
    let at = 0;
    while (at < chunk.length) {
      at = this.#state === 'data' ? this.#takeData(chunk, at, give) : this.#takeLine(chunk, at);
    }
  }

  end(): void {
    if (this.#state !== 'done') throw incomplete('The body ended before its last chunk did.');
    this.#trailers?.end();
  }

  /** Undefined until the body has ended, and when it has no such trailer. */
  trailer(name: string): string | undefined {
    return this.#trailers?.get(name);
  }

  #takeData(chunk: Buffer, start: number, give: (bytes: Buffer) => void): number {
    const end = Math.min(chunk.length, start + this.#chunkBytesLeft);
    const bytes = chunk.subarray(start, end);
    this.#chunkHash?.update(bytes);
    this.#chunkBytesLeft -= bytes.length;
    if (this.#chunkBytesLeft === 0) this.#endChunk();
    give(bytes);
    return end;
  }

  #endChunk(): void {
    this.#state = 'data-end';
    this.#acceptChunk(this.#chunkHash ?? createHash('sha256'));
  }

  #takeLine(chunk: Buffer, start: number): number {
    if (this.#state === 'done') throw incomplete('Bytes follow the end of the last chunk.');
    const lineFeed = chunk.indexOf(0x0a, start);
    const end = lineFeed < 0 ? chunk.length : lineFeed + 1;
    const limit = this.#state === 'trailers' ? TrailerSection.maxLineBytes : MAX_LINE_BYTES;
    if (this.#line.length + end - start > limit) throw incomplete('A line of the chunked body is too long.');
    this.#line += chunk.toString('latin1', start, end);
    if (lineFeed >= 0) {
      const line = this.#line;
      this.#line = '';
      this.#endLine(line);
    }
    return end;
  }

  #endLine(line: string): void {
    if (this.#state === 'trailers') {
      if (this.#trailers?.takeLine(line) === 'last') this.#state = 'done';
    } else if (this.#state === 'size') {
      this.#beginChunk(line);
    } else {
      if (line !== '\r\n') throw incomplete('A chunk has other bytes than its size tells.');
      this.#state = this.#state === 'data-end' ? 'size' : 'done';
    }
  }

  #beginChunk(line: string): void {
    const [, size, signature] = /^([0-9a-fA-F]{1,13})(?:;chunk-signature=([0-9a-f]{64}))?\r\n$/.exec(line) ?? [];
    if (size === undefined || (signature === undefined) !== (this.#signatures === undefined)) {
      throw incomplete('A chunk begins with a line that is not well-formed.');
    }
    const previousBytes = this.#chunkBytes;
    this.#chunkBytes = Number.parseInt(size, 16);
    this.#chunkBytesLeft = this.#chunkBytes;
    this.#chunkSignature = signature ?? '';
    if (this.#chunkBytes === 0) {
      this.#state = this.#afterLastChunk;
      this.#acceptChunk(createHash('sha256').update(NOTHING));
      return;
    }
    if (this.#signatures !== undefined) {
      if (previousBytes < MIN_SIGNED_CHUNK_BYTES) throw new S3Error('InvalidChunkSizeError');
      this.#chunkHash = createHash('sha256');
    }
    this.#state = 'data';
  }

  #acceptChunk(sha256: Hash): void {
    if (this.#signatures === undefined) return;
    if (this.#signatures.acceptChunk(sha256.digest('hex'), this.#chunkSignature)) return;
    throw new S3Error('SignatureDoesNotMatch', 'The signature of a chunk does not match what the server calculated.');
  }
}

function incomplete(message: string): S3Error {
  return new S3Error('IncompleteBody', message);
}
