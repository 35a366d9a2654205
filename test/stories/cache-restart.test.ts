// A gateway with many cached pieces starts soon, and serves what it holds. Run with DFSTORE_TEST_PIECES=100000 it is the
// full measure; filling the shelf is what takes the time.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Level } from 'level';
import { expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { blockDigest } from '../../src/pieces/digests.ts';
import { DiskPieceStore } from '../../src/pieces/disk-piece-store.ts';
import { objectVersion } from '../../src/pieces/piece.ts';
import { GatewayProcess } from '../kill/gateway-process.ts';
import { askGateway } from '../support/client-outcome.ts';
import { RememberingObserver } from '../support/disk-shelf.ts';
import { TestGateway as OriginServer, OWNER } from '../support/s3-gateway.ts';
import { SyntheticOrigin, syntheticBytes } from '../support/synthetic-origin.ts';

const BY_HAND = process.env.DFSTORE_TEST_PIECES;
/** Other tests run beside this one, unless somebody waits for the figure. */
const START_LIMIT_MS = BY_HAND === undefined ? 20_000 : 2_000;
const PIECES = Number(BY_HAND ?? 5_000);
const PIECE = 1024 * 1024;
const BLOCK = 64 * 1024;
const KEY = { accessKeyId: 'RESTARTKEY', secretAccessKey: 'restart-secret' };

/** Of each piece the first block, of the last one all there is of it. */
async function fill(data: string, size: number): Promise<void> {
  await mkdir(data, { recursive: true });
  const level = new Level(join(data, 'index'));
  const disks = [{ path: join(data, 'cache'), capacityBytes: 2 ** 40 }];
  const store = await DiskPieceStore.open(
    { level, observer: new RememberingObserver() },
    { disks, blockSize: BLOCK, verify: 'first' },
  );
  const fields = { origin: 'main', bucket: 'models', key: 'many', etag: 'etag-of-many', size, pieceSize: PIECE };
  const version = objectVersion(fields);
  for (let index = 0; index < PIECES; index += 1) {
    const bytes = syntheticBytes(version.etag, index * PIECE, Math.min(size, index * PIECE + BLOCK));
    const writer = store.write({ version, index });
    await writer.write(0, bytes, blockDigest(bytes));
    await writer.close();
  }
  await store.close();
  await level.close();
}

test(`a gateway with ${PIECES} cached pieces soon serves them, without asking the origin for a byte`, {
  timeout: 60_000 + PIECES * 3,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dfstore-restart-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const size = (PIECES - 1) * PIECE + 1000;
  const origin = new SyntheticOrigin();
  origin.set('many', size);
  const server = await OriginServer.start({ backend: origin });
  onTestFinished(() => server.close());
  await fill(join(folder, 'data'), size);
  const s3 = { type: 's3', endpoint: server.url, region: 'us-east-1', pathStyle: true };
  const { accessKeyId, secretAccessKey } = OWNER;
  const config = {
    data: join(folder, 'data'),
    listen: '127.0.0.1:0',
    admin: { listen: '127.0.0.1:0' },
    auth: { credentials: [KEY] },
    backends: { main: { ...s3, accessKeyId, secretAccessKey } },
    buckets: { models: { backend: 'main', freshness: '1h' } },
    cache: { capacity: '100GiB', pieceSize: PIECE, blockSize: BLOCK, readAhead: 0 },
  };
  await writeFile(join(folder, 'dfstore.yaml'), stringify(config));
  const gateway = new GatewayProcess(join(folder, 'dfstore.yaml'));
  onTestFinished(() => gateway.kill());
  const serving = await gateway.serving;
  await askGateway({ ...KEY, ...serving }, { method: 'HEAD', path: '/models/many' });
  for (const index of [0, PIECES >> 1, PIECES - 2]) {
    const range = { start: index * PIECE, end: index * PIECE + BLOCK };
    const headers = { range: `bytes=${range.start}-${range.end - 1}` };
    const { body } = await askGateway({ ...KEY, ...serving }, { path: '/models/many', headers });
    expect(body.equals(syntheticBytes('etag-of-many', range.start, range.end))).toBe(true);
  }
  process.stdout.write(`${PIECES} pieces: it served after ${Math.round(serving.startMs)} ms.\n`);
  expect(serving.startMs).toBeLessThan(START_LIMIT_MS);
  expect(origin.counts.bodyBytes).toBe(0);
});
