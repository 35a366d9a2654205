// A root of the fs backend in a directory of its own, with one bucket, to be opened and closed again.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import type { Backend, Buckets, Multipart, ObjectRef, PutOptions, Written } from '../../backends/backend.ts';
import { type FsBackendOptions, openFsBackend } from '../../backends/fs.ts';
import { uploadBody } from './upload-body.ts';

const BUCKET = 'bucket';

export type WholeBackend = Backend &
  Required<Pick<Backend, 'put' | 'delete' | 'copy'>> & {
    multipart: Multipart & Required<Pick<Multipart, 'uploadPartCopy'>>;
    buckets: Buckets;
  };

export class FsWorld {
  readonly root: string;
  readonly signal: AbortSignal = new AbortController().signal;
  readonly #options: Partial<FsBackendOptions>;
  #backend: WholeBackend | undefined;

  static async make(options: Partial<FsBackendOptions> = {}): Promise<FsWorld> {
    const world = new FsWorld(await mkdtemp(join(tmpdir(), 'dfstore-fs-')), options);
    onTestFinished(async () => {
      await world.close();
      await rm(world.root, { recursive: true });
    });
    await world.open();
    await world.backend.buckets.create(BUCKET, { owner: 'tester' }, world.signal);
    return world;
  }

  private constructor(root: string, options: Partial<FsBackendOptions>) {
    this.root = root;
    this.#options = options;
  }

  get backend(): WholeBackend {
    if (this.#backend === undefined) throw new Error('The world is closed.');
    return this.#backend;
  }

  async open(): Promise<void> {
    const options = { root: this.root, partMinBytes: 1_000, reserveBytes: 0, ...this.#options };
    this.#backend = (await openFsBackend(options)) as WholeBackend;
  }

  async close(): Promise<void> {
    await this.#backend?.close();
    this.#backend = undefined;
  }

  async reopen(): Promise<void> {
    await this.close();
    await this.open();
  }

  ref(key: string): ObjectRef {
    return { bucket: BUCKET, key };
  }

  /** Of a file in the bucket's directory. */
  path(...names: string[]): string {
    return join(this.root, BUCKET, ...names);
  }

  put(key: string, bytes: Uint8Array | string, options: Partial<PutOptions> = {}): Promise<Written> {
    const body = uploadBody(Buffer.from(bytes));
    return this.backend.put(this.ref(key), body, { headers: {}, metadata: {}, ...options }, this.signal);
  }

  async get(key: string): Promise<string> {
    const { body } = await this.backend.read(this.ref(key), {}, this.signal);
    return (await buffer(body)).toString();
  }

  async delete(key: string): Promise<void> {
    await this.backend.delete(this.ref(key), {}, this.signal);
  }

  async keys(): Promise<string[]> {
    const { objects } = await this.backend.list(BUCKET, { maxEntries: 1000 }, this.signal);
    return objects.map((object) => object.key);
  }
}
