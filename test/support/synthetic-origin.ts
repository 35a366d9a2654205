// An origin whose objects are computed, not kept: any size, every byte known from its offset and the object's etag.
// It counts what it is asked, can be slowed, cut, changed and taken down, and never lies about any of it.
import { Readable } from 'node:stream';
import {
  type Backend,
  BackendError,
  type Capabilities,
  type HeadOptions,
  type ListPage,
  type ObjectHead,
  type ObjectInfo,
  type ObjectRead,
  type ObjectRef,
  type ReadOptions,
} from '../../backends/backend.ts';
import { checkReadConditions } from '../../backends/conditions.ts';
import { resolveRange } from '../../backends/range.ts';

const CHUNK_BYTES = 64 * 1024;
const LONG_AGO = new Date('2020-01-01T00:00:00Z');

const CAPABILITIES: Capabilities = {
  writable: false,
  list: 'none',
  putIfAbsent: 'none',
  putIfMatch: 'none',
  userMetadataMaxBytes: 0,
  partMinBytes: 0,
  putMaxBytes: 0,
  keyMaxBytes: 1024,
  batchDeleteMax: 0,
  checksums: [],
  etag: 'opaque',
  wantsMd5: false,
};

export class SyntheticOrigin implements Backend {
  readonly kind = 'synthetic';
  readonly capabilities = CAPABILITIES;
  readonly counts = { gets: 0, heads: 0, notModified: 0, bodyBytes: 0 };
  /** Pauses before each chunk of a body. */
  beforeChunk: (() => Promise<void>) | undefined;
  /** Bodies are cut after this many bytes. */
  cutAfterBytes = Number.POSITIVE_INFINITY;
  down: BackendError | undefined;
  readonly #objects = new Map<string, ObjectInfo>();

  set(key: string, sizeBytes: number, changes: Partial<ObjectInfo> = {}): void {
    const info: ObjectInfo = {
      key,
      sizeBytes,
      etag: `etag-of-${key}`,
      lastModified: LONG_AGO,
      headers: { contentType: 'application/octet-stream' },
      metadata: {},
      identity: 'strong',
    };
    this.#objects.set(key, { ...info, ...changes });
  }

  remove(key: string): void {
    this.#objects.delete(key);
  }

  async head(ref: ObjectRef, options: HeadOptions): Promise<ObjectHead> {
    this.counts.heads += 1;
    const info = this.#find(ref.key);
    this.#check(options, info);
    return { info };
  }

  async read(ref: ObjectRef, options: ReadOptions, signal: AbortSignal): Promise<ObjectRead> {
    this.counts.gets += 1;
    const info = this.#find(ref.key);
    this.#check(options, info);
    const range = options.range && resolveRange(options.range, info.sizeBytes);
    const { start, end } = range ?? { start: 0, end: info.sizeBytes };
    const body = Readable.from(this.#body(info, start, end), { objectMode: false, highWaterMark: CHUNK_BYTES });
    body.on('error', () => undefined);
    const abort = () => void body.destroy(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    body.once('close', () => signal.removeEventListener('abort', abort));
    return { info, range, body };
  }

  async list(): Promise<ListPage> {
    return { objects: [], prefixes: [] };
  }

  async headBucket(name: string) {
    return { name, created: LONG_AGO };
  }

  async check(): Promise<void> {}
  async close(): Promise<void> {}

  async *#body(info: ObjectInfo, start: number, end: number): AsyncGenerator<Buffer> {
    for (let at = start; at < end; ) {
      await this.beforeChunk?.();
      if (at - start >= this.cutAfterBytes) throw new BackendError('Unavailable', 'The connection was cut.');
      const stop = Math.min(end, at + CHUNK_BYTES);
      const chunk = syntheticBytes(info.etag, at, stop);
      this.counts.bodyBytes += chunk.length;
      at = stop;
      yield chunk;
    }
  }

  #check(options: HeadOptions, info: ObjectInfo): void {
    try {
      checkReadConditions(options.conditions, info);
    } catch (error) {
      if (error instanceof BackendError && error.code === 'NotModified') this.counts.notModified += 1;
      throw error;
    }
  }

  #find(key: string): ObjectInfo {
    if (this.down !== undefined) throw this.down;
    const info = this.#objects.get(key);
    if (info === undefined) throw new BackendError('NoSuchKey', `There is no '${key}'.`);
    return info;
  }
}

/** Four bytes tell their own offset and etag; a byte at a wrong place or of another version is seen. */
export function syntheticBytes(etag: string, start: number, end: number): Buffer {
  const seed = [...etag].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, 7);
  const first = Math.floor(start / 4);
  const words = new Uint32Array(Math.ceil(end / 4) - first);
  for (let index = 0; index < words.length; index += 1) words[index] = Math.imul(first + index + seed, 2654435761);
  return Buffer.from(words.buffer).subarray(start - first * 4, end - first * 4);
}
