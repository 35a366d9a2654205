import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Level } from 'level';
import { expect, test } from 'vitest';
import { blockBytes } from '../../src/pieces/blocks.ts';
import { DiskPieceStore } from '../../src/pieces/disk-piece-store.ts';
import { type Piece, pieceLength } from '../../src/pieces/piece.ts';
import { allocatedBytes, RememberingObserver } from '../support/disk-shelf.ts';
import { isContent, readAll, testVersion } from '../support/piece-content.ts';
import { LOAD } from '../support/shelf-load-settings.ts';

const KILLS = Number(process.env.DFSTORE_TEST_KILLS ?? 20);
const CHILD = fileURLToPath(new URL('../support/shelf-load.ts', import.meta.url));

async function workAndKill(root: string, seed: number): Promise<void> {
  const child = spawn(process.execPath, ['--import', 'tsx', CHILD, root, String(seed)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const working = await Promise.race([once(child.stdout, 'data').then(() => true), exited.then(() => false)]);
  expect(working, 'the load began').toBe(true);
  await pause((seed * 37) % 300);
  child.kill('SIGKILL');
  expect((await exited)[1]).toBe('SIGKILL');
}

/** Everything the shelf says it holds is right; answers how many blocks that were. */
async function readEverything(store: DiskPieceStore): Promise<number> {
  let blocks = 0;
  for (let key = 0; key < LOAD.keys; key += 1) {
    const version = testVersion(`key-${key}`, LOAD.size, LOAD.pieceSize);
    for (let index = 0; index < LOAD.pieces; index += 1) {
      const piece: Piece = { version, index };
      for (const block of store.blocks(piece)) {
        const { start, end } = blockBytes(block, pieceLength(piece), LOAD.blockSize);
        expect(isContent(await readAll(store, piece, start, end), piece, start, end)).toBe(true);
        blocks += 1;
      }
    }
  }
  return blocks;
}

test(
  `after kill -9 under load (${KILLS} times) the shelf starts clean, serves right bytes and leaks none`,
  async () => {
    const root = await mkdtemp(join(tmpdir(), 'dfstore-kill-'));
    const disk = join(root, 'disk0');
    let served = 0;
    try {
      for (let kill = 1; kill <= KILLS; kill += 1) {
        await workAndKill(root, kill);
        const level = new Level(join(root, 'level'));
        await level.open();
        const observer = new RememberingObserver();
        const store = await DiskPieceStore.open(
          { level, observer },
          { disks: [{ path: disk, capacityBytes: LOAD.capacityBytes }], blockSize: LOAD.blockSize, verify: 'first' },
        );
        await store.idle();
        const { bytes, files } = await allocatedBytes({ disks: [disk] });
        const usage = store.usage();
        expect(Math.abs(bytes - usage.diskBytes)).toBeLessThanOrEqual(0.01 * usage.diskBytes + 4096 * files);
        expect(files).toBe(usage.pieces);
        served += await readEverything(store);
        // A row may outlive its file by a flush; a mark never outlives its bytes when only the process dies.
        expect(observer.discards.filter((reason) => reason !== 'missing')).toEqual([]);
        await store.close();
        await level.close();
      }
      expect(served).toBeGreaterThan(KILLS);
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  },
  60_000 + KILLS * 8_000,
);
