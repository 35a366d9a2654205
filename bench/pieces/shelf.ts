// What the shelf costs above the file system it stands on: filling, the first read (which proves), later reads in both
// modes, from memory; each beside plain reads of the same bytes. Run: npx tsx bench/pieces/shelf.ts
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Level } from 'level';
import { Arrivals } from '../../src/pieces/arrivals.ts';
import { blockCount } from '../../src/pieces/blocks.ts';
import { BufferPool } from '../../src/pieces/buffer-pool.ts';
import { DiskPieceStore } from '../../src/pieces/disk-piece-store.ts';
import { diskFiles } from '../../src/pieces/files.ts';
import { MemoryTier } from '../../src/pieces/memory-tier.ts';
import { objectVersion, type Piece, pieceCount, pieceLength, steps } from '../../src/pieces/piece.ts';
import type { PieceObserver, PieceStore } from '../../src/pieces/piece-store.ts';

const MIB = 2 ** 20;
const SIZE = 512 * MIB;
const BLOCK = 256 * 1024;
const STEP = 512 * 1024;
const signal = new AbortController().signal;

const silent: PieceObserver = {
  discarded: (event) => process.stdout.write(`discarded: ${event.reason}\n`),
  evicted: () => undefined,
  diskFailed: (event) => process.stdout.write(`disk failed: ${String(event.error)}\n`),
  diskHealed: () => undefined,
  databaseFailed: (event) => process.stdout.write(`database failed: ${String(event.error)}\n`),
};

async function timed(name: string, bytes: number, act: () => Promise<void>): Promise<void> {
  const cpu = process.cpuUsage();
  const begun = performance.now();
  await act();
  const { user, system } = process.cpuUsage(cpu);
  const gib = bytes / 2 ** 30;
  process.stdout.write(
    `${name.padEnd(56)} ${((user + system) / 1e6 / gib).toFixed(3)} CPU-s/GiB  ${(gib / ((performance.now() - begun) / 1000)).toFixed(2)} GiB/s\n`,
  );
}

async function readAll(store: PieceStore, pieces: readonly Piece[]): Promise<void> {
  for (const piece of pieces) {
    for (const slice of steps({ piece, start: 0, end: pieceLength(piece) }, STEP)) {
      const read = await store.read(slice);
      if (read === undefined) throw new Error('not held');
      read.release();
    }
  }
}

async function fill(arrivals: Arrivals, pieces: readonly Piece[], chunk: Buffer): Promise<void> {
  for (const piece of pieces) {
    const length = pieceLength(piece);
    const feed = arrivals.feed(piece, { first: 0, end: blockCount(length, BLOCK) });
    for (let at = 0; at < length; at += chunk.length) await feed.push(chunk, signal);
    await feed.finish();
  }
}

async function measure(verify: 'first' | 'always'): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'dfstore-bench-'));
  const level = new Level(join(root, 'level'));
  await level.open();
  const disk = { path: join(root, 'disk'), capacityBytes: 2 * SIZE };
  const open = (): Promise<DiskPieceStore> =>
    DiskPieceStore.open({ level, observer: silent }, { disks: [disk], blockSize: BLOCK, verify });
  const version = objectVersion({ origin: 'o', bucket: 'b', key: 'k', etag: 'e', size: SIZE, pieceSize: 4 * MIB });
  const pieces = Array.from({ length: pieceCount(version) }, (_, index): Piece => ({ version, index }));
  const chunk = randomBytes(64 * 1024);
  let store = await open();
  const pool = new BufferPool({ maxFreeBytes: 16 * MIB });
  const arrivals = new Arrivals({ store, pool }, { windowBytes: 2 * MIB, maxArriving: 16, unwanted: () => undefined });
  process.stdout.write(`verify: ${verify}\n`);
  await timed('fill through an arriving piece, nobody reading', SIZE, () => fill(arrivals, pieces, chunk));
  await store.close();
  store = await open();
  await timed('first read since start-up (SHA-256)', SIZE, () => readAll(store, pieces));
  for (const round of [1, 2, 3]) await timed(`later read ${round}`, SIZE, () => readAll(store, pieces));
  const memory = new MemoryTier({ below: store }, { capacityBytes: 2 * SIZE });
  for (let round = 0; round < 3; round += 1) await readAll(memory, pieces);
  await memory.idle();
  await timed('read from memory', SIZE, () => readAll(memory, pieces));
  await plain(disk.path);
  await memory.close();
  await level.close();
  await rm(root, { recursive: true });
}

/** The anchor: the same files, the same steps, nothing else. */
async function plain(root: string): Promise<void> {
  const directory = join(root, 'v1', 'pieces');
  const buffer = Buffer.alloc(STEP);
  for (const round of [1, 2, 3]) {
    await timed(`plain fs.read of the files ${round}`, SIZE, async () => {
      for (const part of await diskFiles.list(directory)) {
        for (const file of await diskFiles.list(join(directory, part))) {
          const fd = await diskFiles.open(join(directory, part, file), 'read');
          for (let at = 0; at < 4 * MIB; at += STEP) await diskFiles.read(fd, buffer, at);
          await diskFiles.close(fd);
        }
      }
    });
  }
}

await measure('first');
await measure('always');
