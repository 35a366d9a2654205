// Kills a process that writes through the fs backend at random instants and looks at what it left, again and again
// over the same root.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { type Backend, BackendError } from '../../backends/backend.ts';
import { openFsBackend } from '../../backends/fs.ts';
import { BUCKET, History, type ObjectState, PART_MIN_BYTES, VERSIONED_BUCKETS } from './history.ts';
import { inspectVersions } from './inspect-versions.ts';
import { Random } from './random.ts';

const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url));
const LIFE_MAX_MS = 400;

export interface KillReport {
  readonly kills: number;
  readonly acknowledged: number;
  /** Kills that found something begun and not yet acknowledged: the others would prove nothing. */
  readonly interrupted: number;
  /** Interrupted operations that were found done, and not done. */
  readonly finished: number;
  readonly withdrawn: number;
}

/** Rejects at the first broken promise, naming the seed. */
export async function killRounds(
  options: { kills: number; seed: number },
  began: (round: number) => void = () => undefined,
): Promise<KillReport> {
  const world = await mkdtemp(join(tmpdir(), 'dfstore-kill-'));
  const root = join(world, 'root');
  const random = new Random(options.seed);
  const history = new History();
  const report = { kills: 0, acknowledged: 0, interrupted: 0, finished: 0, withdrawn: 0 };
  await withBackend(root, async (backend) => {
    await backend.buckets?.create(BUCKET, { owner: 'tester' }, signal);
    for (const bucket of VERSIONED_BUCKETS) {
      await backend.buckets?.create(bucket, { owner: 'tester' }, signal);
      await backend.versioning?.set?.(bucket, 'Enabled', signal);
    }
  });
  for (; report.kills < options.kills; report.kills += 1) {
    began(report.kills + 1);
    const log = join(world, `log-${report.kills}`);
    await liveAndDie([root, log, `${options.seed + report.kills}`], random.below(LIFE_MAX_MS));
    history.read(await readFile(log, 'utf8'));
    try {
      await withBackend(root, (backend) => inspect(backend, root, history, report));
    } catch (error) {
      const message = `After kill ${report.kills} of seed ${options.seed} a promise is broken; see ${world}.`;
      throw new Error(message, { cause: error });
    }
    await rm(log);
  }
  await rm(world, { recursive: true });
  return { ...report, acknowledged: history.acknowledged };
}

const signal = new AbortController().signal;

/** The life is counted from when the process is about to open the root, so recovery is killed too. */
async function liveAndDie(args: string[], lifeMs: number): Promise<void> {
  const child = spawn(process.execPath, ['--import', 'tsx', WORKER, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const complaint = buffer(child.stderr);
  const exited = once(child, 'exit');
  child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), lifeMs));
  const [code, killedBy] = await exited;
  if (killedBy !== 'SIGKILL') throw new Error(`The worker ended by itself (${code}): ${await complaint}`);
}

async function withBackend(root: string, use: (backend: Backend) => Promise<void>): Promise<void> {
  const backend = await openFsBackend({ root, partMinBytes: PART_MIN_BYTES, reserveBytes: 0 });
  try {
    await use(backend);
  } finally {
    await backend.close();
  }
}

async function inspect(
  backend: Backend,
  root: string,
  history: History,
  report: { interrupted: number; finished: number; withdrawn: number },
): Promise<void> {
  let interrupted = false;
  const present: string[] = [];
  for (const key of history.keys) {
    const allowed = history.allowed(key);
    const found = await look(backend, key);
    const match = allowed.findIndex((state) => state?.nonce === found?.nonce);
    const state = allowed[match];
    if (state === undefined) throw broken(key, 'is in a state that nobody wrote', { found, allowed });
    if (state !== null && !same(state, found)) throw broken(key, 'is mixed of two writes', { found, state });
    if (allowed.length > 1) {
      interrupted = true;
      if (match === 1) report.finished += 1;
      else report.withdrawn += 1;
    }
    if (state !== null) present.push(key);
    history.settle(key, state);
  }
  const versions = await inspectVersions(backend, root, history.versions);
  report.finished += versions.finished;
  report.withdrawn += versions.withdrawn;
  if (interrupted || versions.finished + versions.withdrawn > 0) report.interrupted += 1;
  await listsExactly(backend, present);
  await holdsNothingElse(backend, root, present.length);
}

async function look(backend: Backend, key: string): Promise<ObjectState | null> {
  try {
    const { info, body } = await backend.read({ bucket: BUCKET, key }, {}, signal);
    const bytes = await buffer(body);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { etag: info.etag, sha256, sizeBytes: info.sizeBytes, nonce: info.metadata.nonce ?? 'none' };
  } catch (error) {
    if (error instanceof BackendError && error.code === 'NoSuchKey') return null;
    throw error;
  }
}

async function listsExactly(backend: Backend, present: readonly string[]): Promise<void> {
  const { objects } = await backend.list(BUCKET, { maxEntries: 1000 }, signal);
  const listed = objects.map((object) => object.key);
  const expected = present.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  if (JSON.stringify(listed) !== JSON.stringify(expected))
    throw broken('the bucket', 'is listed wrong', { listed, expected });
}

/** Temporary files are swept, parts belong to uploads, and there is a file for each object and no other. */
async function holdsNothingElse(backend: Backend, root: string, objects: number): Promise<void> {
  const internal = join(root, '.dfstore', 'v1');
  const temps = await readdir(join(internal, 'tmp'));
  if (temps.length > 0) throw broken('tmp', 'was not swept', temps);
  const pages = [BUCKET, ...VERSIONED_BUCKETS].map(async (bucket) => {
    const page = await backend.multipart?.listUploads(bucket, { maxEntries: 1000 }, signal);
    return (page?.uploads ?? []).map((upload) => ({ ...upload, bucket }));
  });
  const uploads = (await Promise.all(pages)).flat();
  const directories = await readdir(join(internal, 'uploads'));
  const ids = uploads.map((upload) => upload.uploadId);
  if (JSON.stringify(directories.sort()) !== JSON.stringify(ids.sort()))
    throw broken('uploads', 'differ', { directories, ids });
  for (const upload of uploads) {
    await backend.multipart?.abortUpload(upload, signal);
  }
  const entries = await readdir(join(root, BUCKET), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
  if (files.length !== objects) throw broken('the bucket', `has ${files.length} files for ${objects} objects`, files);
}

function same(state: ObjectState, found: ObjectState | null): boolean {
  return (
    found !== null && found.etag === state.etag && found.sha256 === state.sha256 && found.sizeBytes === state.sizeBytes
  );
}

function broken(what: string, how: string, details: unknown): Error {
  return new Error(`'${what}' ${how}: ${JSON.stringify(details)}`);
}
