// The origin of a mesh under test: an S3 server in this process over objects in memory, which counts what it is asked
// and what it gives, can be slow, and tells when it has taken a write.
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type {
  HeadOptions,
  ObjectRead,
  ObjectRef,
  PutOptions,
  ReadOptions,
  UploadBody,
} from '../../backends/backend.ts';
import { MemoryBackend } from './memory-backend.ts';
import { TestGateway as OriginServer, OWNER } from './s3-gateway.ts';
import { syntheticBytes } from './synthetic-origin.ts';

export const BUCKET = 'models';
/** The backend's name at the gateways. */
export const ORIGIN = 'main';

class CountingBackend extends MemoryBackend {
  gets = 0;
  heads = 0;
  bodyBytes = 0;
  bytesPerSecond = Number.POSITIVE_INFINITY;
  taken: ((key: string) => Promise<void>) | undefined;
  gave: () => void = () => undefined;
  #freeAtMs = 0;

  override head(ref: ObjectRef, options: HeadOptions, signal: AbortSignal) {
    this.heads += 1;
    return super.head(ref, options, signal);
  }

  override async read(ref: ObjectRef, options: ReadOptions, signal: AbortSignal): Promise<ObjectRead> {
    this.gets += 1;
    const read = await super.read(ref, options, signal);
    return { ...read, body: Readable.from(this.#counted(read.body), { objectMode: false, signal }) };
  }

  override async put(ref: ObjectRef, body: UploadBody, options: PutOptions, signal: AbortSignal) {
    const written = await super.put(ref, body, options, signal);
    await this.taken?.(ref.key);
    return written;
  }

  async *#counted(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of body) {
      await this.#turn(chunk.length);
      this.bodyBytes += chunk.length;
      this.gave();
      yield chunk;
    }
  }

  /** One rate for all who read. */
  async #turn(bytes: number): Promise<void> {
    if (this.bytesPerSecond === Number.POSITIVE_INFINITY) return;
    const now = performance.now();
    this.#freeAtMs = Math.max(now, this.#freeAtMs) + (1_000 * bytes) / this.bytesPerSecond;
    await pause(this.#freeAtMs - now);
  }
}

export class MeshOrigin {
  readonly #backend: CountingBackend;
  readonly #server: OriginServer;
  readonly #client: S3Client;
  #since = { requests: 0, bodyBytes: 0 };

  private constructor(backend: CountingBackend, server: OriginServer) {
    this.#backend = backend;
    this.#server = server;
    this.#client = server.client();
  }

  static async start(): Promise<MeshOrigin> {
    const backend = new CountingBackend();
    const server = await OriginServer.start({ backend });
    await backend.buckets.create(BUCKET, { owner: OWNER.account }, new AbortController().signal);
    return new MeshOrigin(backend, server);
  }

  /** As a backend in the gateways' configuration. */
  get settings(): Readonly<Record<string, unknown>> {
    const { accessKeyId, secretAccessKey } = OWNER;
    const endpoint = this.#server.url;
    return { type: 's3', endpoint, region: 'us-east-1', pathStyle: true, accessKeyId, secretAccessKey };
  }

  /** Puts an object there without any gateway; answers its bytes. */
  async set(key: string, sizeBytes: number): Promise<Buffer> {
    const bytes = syntheticBytes(key, 0, sizeBytes);
    await this.#client.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: bytes }));
    return bytes;
  }

  set bytesPerSecond(rate: number) {
    this.#backend.bytesPerSecond = rate;
  }

  /** Awaited between a write's taking effect and its answer. */
  set taken(taken: ((key: string) => Promise<void>) | undefined) {
    this.#backend.taken = taken;
  }

  /** Since the last reset: GETs and HEADs of objects. */
  get requests(): number {
    return this.#backend.gets + this.#backend.heads - this.#since.requests;
  }

  /** Since the last reset: bytes of the bodies of GETs. */
  get bodyBytes(): number {
    return this.#backend.bodyBytes - this.#since.bodyBytes;
  }

  /** Resolves when this many bytes of bodies have left since the last reset. */
  given(bodyBytes: number): Promise<void> {
    return new Promise((resolve) => {
      this.#backend.gave = () => {
        if (this.bodyBytes < bodyBytes) return;
        this.#backend.gave = () => undefined;
        resolve();
      };
    });
  }

  reset(): void {
    const { gets, heads, bodyBytes } = this.#backend;
    this.#since = { requests: gets + heads, bodyBytes };
  }

  close(): Promise<void> {
    return this.#server.close();
  }
}
