// The process that is killed: random puts, completes, copies and deletes over the fs backend, several at once. Each
// is told in the log before it begins and after it was acknowledged; a line in the log survives the process.
//   node --import tsx test/kill/worker.ts ROOT LOG SEED
import { createHash } from 'node:crypto';
import { openSync, writeSync } from 'node:fs';
import type { Backend, CompletedPart, Multipart, ObjectRef, Versioning } from '../../backends/backend.ts';
import { openFsBackend } from '../../backends/fs.ts';
import { md5, uploadBody } from '../support/upload-body.ts';
import { BUCKET, type LogLine, type ObjectState, PART_MIN_BYTES, VERSIONED_BUCKETS } from './history.ts';
import { Random } from './random.ts';

const LANES = 4;
/** Keys in each other's way, in directories that come and go. */
const NAMES = ['a', 'a/', 'a/b', 'a/b/c', 'd/e/f', '..', 'x'.repeat(300), 'plain.txt'];

type Doing = Required<Pick<Backend, 'put' | 'delete' | 'copy'>> & {
  multipart: Multipart;
  versioning: Required<Versioning>;
};

class Lane {
  readonly #backend: Doing;
  readonly #random: Random;
  readonly #name: string;
  readonly #bucket: string;
  readonly #log: (line: LogLine) => void;
  readonly #known = new Map<string, ObjectState>();
  readonly #signal = new AbortController().signal;
  #serial = 0;

  constructor(
    backend: Doing,
    random: Random,
    place: { readonly name: string; readonly bucket: string },
    log: (line: LogLine) => void,
  ) {
    this.#backend = backend;
    this.#random = random;
    this.#name = place.name;
    this.#bucket = place.bucket;
    this.#log = log;
  }

  async run(): Promise<never> {
    const acts = [
      () => this.#put(),
      () => this.#put(),
      () => this.#complete(),
      () => this.#copy(),
      () => this.#delete(),
      ...(this.#isVersioned ? [() => this.#removeVersion(), () => this.#removeVersion(), () => this.#switch()] : []),
    ];
    for (;;) await this.#random.pick(acts)();
  }

  async #put(): Promise<void> {
    const key = this.#anyKey();
    const bytes = this.#bytes(this.#random.pick([0, 10, 5_000, 200_000, 1_500_000]));
    const state = this.#state(bytes, md5(bytes).toString('hex'));
    await this.#act(key, state, async () => {
      const attributes = { headers: {}, metadata: { nonce: state.nonce } };
      return this.#backend.put(this.#ref(key), uploadBody(bytes), attributes, this.#signal);
    });
  }

  async #complete(): Promise<void> {
    const key = this.#anyKey();
    const bodies = [this.#bytes(PART_MIN_BYTES), this.#bytes(PART_MIN_BYTES + 7), this.#bytes(9)];
    const etag = `${md5(Buffer.concat(bodies.map(md5))).toString('hex')}-${bodies.length}`;
    const state = this.#state(Buffer.concat(bodies), etag);
    const { multipart } = this.#backend;
    const attributes = { headers: {}, metadata: { nonce: state.nonce } };
    const uploadId = await multipart.createUpload(this.#ref(key), attributes, this.#signal);
    const upload = { ...this.#ref(key), uploadId };
    const parts: CompletedPart[] = [];
    for (const [index, bytes] of bodies.entries()) {
      const partNumber = index + 1;
      const { etag } = await multipart.uploadPart(upload, partNumber, uploadBody(bytes), this.#signal);
      parts.push({ partNumber, etag });
    }
    await this.#act(key, state, async () => {
      return multipart.completeUpload(upload, parts, {}, this.#signal);
    });
  }

  async #copy(): Promise<void> {
    const [source] = this.#random.shuffled([...this.#known]);
    if (source === undefined) return this.#put();
    const [from, known] = source;
    const key = this.#anyKey();
    const state = { ...known, nonce: this.#nonce() };
    await this.#act(key, state, async () => {
      const replace = { headers: {}, metadata: { nonce: state.nonce } };
      return this.#backend.copy(this.#ref(from), this.#ref(key), { replace }, this.#signal);
    });
  }

  async #delete(): Promise<void> {
    const key = this.#anyKey();
    await this.#act(key, null, async () => {
      return this.#backend.delete(this.#ref(key), {}, this.#signal);
    });
  }

  async #switch(): Promise<void> {
    const status = this.#random.pick(['Enabled', 'Enabled', 'Suspended'] as const);
    await this.#backend.versioning.set(this.#bucket, status, this.#signal);
  }

  /** Any version of any key, those of earlier processes too. */
  async #removeVersion(): Promise<void> {
    const key = this.#anyKey();
    const options = { prefix: key, maxEntries: 1000 };
    const { versions } = await this.#backend.versioning.list(this.#bucket, options, this.#signal);
    const [chosen] = this.#random.shuffled(versions.filter((version) => version.key === key));
    if (chosen === undefined) return this.#put();
    const removed = chosen.versionId;
    const line = { key, state: null, versioned: this.#bucket, removed };
    this.#log({ phase: 'begun', ...line });
    await this.#backend.delete(this.#ref(key), { versionId: removed }, this.#signal);
    this.#log({ phase: 'acknowledged', ...line });
    // What the key is now, nobody told.
    this.#known.delete(key);
  }

  async #act(
    key: string,
    state: ObjectState | null,
    act: () => Promise<{ readonly versionId?: string | undefined }>,
  ): Promise<void> {
    const line = { key, state, versioned: this.#isVersioned ? this.#bucket : undefined };
    this.#log({ phase: 'begun', ...line });
    const { versionId: version } = await act();
    this.#log({ phase: 'acknowledged', ...line, version });
    if (state === null) this.#known.delete(key);
    else this.#known.set(key, state);
  }

  get #isVersioned(): boolean {
    return this.#bucket !== BUCKET;
  }

  #ref(key: string): ObjectRef {
    return { bucket: this.#bucket, key };
  }

  /** Of this lane alone, so that the log tells the order of what happens to it. */
  #anyKey(): string {
    return `${this.#random.pick(NAMES)}-${this.#name}`;
  }

  #bytes(sizeBytes: number): Buffer {
    return Buffer.alloc(sizeBytes, `${this.#nonce()} `);
  }

  #nonce(): string {
    this.#serial += 1;
    return `${this.#name}.${process.pid}.${this.#serial}`;
  }

  #state(bytes: Buffer, etag: string): ObjectState {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { etag, sha256, sizeBytes: bytes.length, nonce: this.#nonce() };
  }
}

async function work(root: string, logPath: string, seed: number): Promise<void> {
  const log = openSync(logPath, 'a');
  process.stdout.write('opening\n');
  const backend = await openFsBackend({ root, partMinBytes: PART_MIN_BYTES, fsync: seed % 2 === 0, reserveBytes: 0 });
  const doing = backend as Backend & Doing;
  const tell = (line: LogLine): void => {
    writeSync(log, `${JSON.stringify(line)}\n`);
  };
  const lanes = Array.from({ length: LANES }, (_, lane) => {
    const bucket = VERSIONED_BUCKETS.find((name) => name.endsWith(`-${lane}`)) ?? BUCKET;
    return new Lane(doing, new Random(seed * 97 + lane), { name: `${lane}`, bucket }, tell);
  });
  await Promise.all(lanes.map((lane) => lane.run()));
}

const [root, log, seed] = process.argv.slice(2);
if (root === undefined || log === undefined) throw new Error('Usage: worker.ts ROOT LOG SEED');
await work(root, log, Number(seed));
