// A file a version (pieces at their offsets, sparse) or a file a piece: what writing, reading and giving back room cost.
// The figures behind the choice in src/pieces/disk-piece-store.ts. Run: npx tsx bench/pieces/layout.ts
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FdCache } from '../../src/pieces/fd-cache.ts';
import { diskFiles } from '../../src/pieces/files.ts';

const MIB = 2 ** 20;
const PIECE = 4 * MIB;
const PIECES = 128;
const BLOCK = 256 * 1024;
const STEP = 512 * 1024;
const SMALL = 128 * 1024;
const SMALL_READS = 4000;
const ROUNDS = 3;

const layouts = {
  'a file a version': { file: () => 'all', base: (piece: number) => piece * PIECE },
  'a file a piece': { file: (piece: number) => `piece-${piece}`, base: () => 0 },
} as const;

async function timed(name: string, bytes: number, act: () => Promise<void>): Promise<void> {
  const cpu = process.cpuUsage();
  const begun = performance.now();
  await act();
  const { user, system } = process.cpuUsage(cpu);
  const gib = bytes / 2 ** 30;
  const seconds = (performance.now() - begun) / 1000;
  process.stdout.write(
    `  ${name.padEnd(46)} ${((user + system) / 1e6 / gib).toFixed(2)} CPU-s/GiB  ${(gib / seconds).toFixed(2)} GiB/s\n`,
  );
}

async function measure(layout: (typeof layouts)[keyof typeof layouts], maxOpen: number): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'dfstore-bench-'));
  const fds = new FdCache({ files: diskFiles }, { maxOpen });
  const made = new Set<string>();
  const block = Buffer.alloc(BLOCK, 7);
  const buffer = Buffer.alloc(STEP);
  const order = Array.from({ length: PIECES }, (_, index) => (index * 37) % PIECES);
  await timed('write pieces out of order, by blocks', PIECES * PIECE, async () => {
    for (const piece of order) {
      const path = join(root, layout.file(piece));
      await fds.use(path, !made.has(path), () => Promise.resolve());
      made.add(path);
      for (let at = 0; at < PIECE; at += BLOCK) {
        await fds.use(path, false, (fd) => diskFiles.write(fd, block, layout.base(piece) + at));
      }
    }
  });
  await timed('read all, 512 KiB at a time', PIECES * PIECE, async () => {
    for (let piece = 0; piece < PIECES; piece += 1) {
      for (let at = 0; at < PIECE; at += STEP) {
        const read = (fd: number): Promise<number> => diskFiles.read(fd, buffer, layout.base(piece) + at);
        await fds.use(join(root, layout.file(piece)), false, read);
      }
    }
  });
  await timed('read 128 KiB at random', SMALL_READS * SMALL, async () => {
    for (let index = 0; index < SMALL_READS; index += 1) {
      const piece = (index * 53) % PIECES;
      const at = ((index * 17) % 32) * SMALL;
      const small = buffer.subarray(0, SMALL);
      const read = (fd: number): Promise<number> => diskFiles.read(fd, small, layout.base(piece) + at);
      await fds.use(join(root, layout.file(piece)), false, read);
    }
  });
  await fds.close();
  await timed('give back half (a file a version cannot)', (PIECES / 2) * PIECE, async () => {
    if (made.size === 1) return;
    for (let piece = 0; piece < PIECES; piece += 2) await diskFiles.remove(join(root, layout.file(piece)));
  });
  let allocated = 0;
  for (const name of await readdir(root)) allocated += (await stat(join(root, name))).blocks * 512;
  process.stdout.write(`  ${(allocated / MIB).toFixed(0)} MiB allotted after\n`);
  await rm(root, { recursive: true });
}

for (let round = 1; round <= ROUNDS; round += 1) {
  for (const [name, layout] of Object.entries(layouts)) {
    process.stdout.write(`round ${round}: ${name}, all files open\n`);
    await measure(layout, 1024);
  }
  process.stdout.write(`round ${round}: a file a piece, 16 files open\n`);
  await measure(layouts['a file a piece'], 16);
}
