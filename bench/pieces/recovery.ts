// npx tsx bench/pieces/recovery.ts: how long a shelf takes to start again with many pieces.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Level } from 'level';
import { blockDigest } from '../../src/pieces/digests.ts';
import { DiskPieceStore } from '../../src/pieces/disk-piece-store.ts';
import { objectVersion } from '../../src/pieces/piece.ts';
import type { PieceObserver } from '../../src/pieces/piece-store.ts';
import { countFromOne, scriptCommand } from '../../test/support/script-command.ts';

const [PIECES] = scriptCommand('bench/pieces/recovery.ts', 'Measures how long a shelf with many pieces takes to start.')
  .argument('[pieces]', 'that it holds', countFromOne, 100_000)
  .parse().processedArgs as [number];
const PIECE = 64 * 1024;
const BLOCK = 4096;

const reporting: PieceObserver = {
  discarded: (event) => process.stdout.write(`discarded: ${event.reason}\n`),
  evicted: () => undefined,
  diskFailed: (event) => process.stdout.write(`disk failed: ${String(event.error)}\n`),
  diskHealed: () => undefined,
  databaseFailed: (event) => process.stdout.write(`database failed: ${String(event.error)}\n`),
};

const root = await mkdtemp(join(tmpdir(), 'dfstore-bench-'));
const disks = [{ path: join(root, 'disk'), capacityBytes: 2 ** 40 }];

async function opened(act: (store: DiskPieceStore) => Promise<void>): Promise<void> {
  const begun = performance.now();
  const level = new Level(join(root, 'level'));
  await level.open();
  const store = await DiskPieceStore.open({ level, observer: reporting }, { disks, blockSize: BLOCK, verify: 'first' });
  const openMs = performance.now() - begun;
  await store.idle();
  const idleMs = performance.now() - begun;
  process.stdout.write(
    `${store.usage().pieces} pieces: ready in ${openMs.toFixed(0)} ms, swept in ${idleMs.toFixed(0)} ms, ` +
      `${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MiB resident\n`,
  );
  await act(store);
  await store.close();
  await level.close();
}

const version = objectVersion({
  origin: 'o',
  bucket: 'b',
  key: 'k',
  etag: 'e',
  size: PIECES * PIECE,
  pieceSize: PIECE,
});
const block = Buffer.alloc(BLOCK, 7);
const digest = blockDigest(block);

// Sixteen blocks a piece as in the defaults; of every tenth piece all are written, of the others the first one.
await opened(async (store) => {
  for (let index = 0; index < PIECES; index += 1) {
    const writer = store.write({ version, index });
    for (let at = 0; at < (index % 10 === 0 ? 16 : 1); at += 1) await writer.write(at, block, digest);
    await writer.close();
  }
});
for (let round = 0; round < 3; round += 1) await opened(() => Promise.resolve());
await rm(root, { recursive: true });
