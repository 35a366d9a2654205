// A process that works a shelf as hard as it can until it is killed: pieces written whole and in part, read, dropped,
// staged and adopted, evicted. Run as: node --import tsx test/support/shelf-load.ts ROOT SEED
import { join } from 'node:path';
import { Level } from 'level';
import { BufferPool } from '../../src/pieces/buffer-pool.ts';
import { DiskPieceStore } from '../../src/pieces/disk-piece-store.ts';
import type { Piece } from '../../src/pieces/piece.ts';
import { StagedObject } from '../../src/pieces/staging.ts';
import { RememberingObserver } from './disk-shelf.ts';
import { contentOf, readAll, shelve, testVersion } from './piece-content.ts';
import { LOAD } from './shelf-load-settings.ts';

const [root = '', seed = '0'] = process.argv.slice(2);

/** xorshift32. */
let state = (Number(seed) * 2654435761 + 1) >>> 0;
function random(below: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % below;
}

const level = new Level(join(root, 'level'));
await level.open();
const store = await DiskPieceStore.open(
  { level, observer: new RememberingObserver() },
  {
    disks: [{ path: join(root, 'disk0'), capacityBytes: LOAD.capacityBytes }],
    blockSize: LOAD.blockSize,
    verify: 'first',
    flushMs: 5,
  },
);
const pool = new BufferPool({ maxFreeBytes: 2 ** 20 });

async function act(): Promise<void> {
  const version = testVersion(`key-${random(LOAD.keys)}`, LOAD.size, LOAD.pieceSize);
  const piece: Piece = { version, index: random(LOAD.pieces) };
  const choice = random(10);
  if (choice < 4) await shelve(store, piece);
  else if (choice < 6) await shelve(store, piece, [random(LOAD.blocks), random(LOAD.blocks)]);
  else if (choice < 8) await readAll(store, piece);
  else if (choice < 9) await store.drop(version);
  else await stage(version.key);
}

async function stage(key: string): Promise<void> {
  const version = testVersion(key, LOAD.size, LOAD.pieceSize);
  const { id: _id, etag, ...fields } = version;
  const staged = new StagedObject({ store, pool }, { maxWaitingBytes: 2 ** 20, patienceMs: 1000 }, fields);
  for (let index = 0; index < LOAD.pieces; index += 1) await staged.write(contentOf({ version, index }));
  if (random(2) === 0) await staged.commit(etag);
  else await staged.abandon();
}

async function work(): Promise<never> {
  for (;;) await act();
}

process.stdout.write('working\n');
await Promise.all(Array.from({ length: 8 }, work));
