// A gateway over a directory whose disk fills up: on a real file system of a few MiB, which takes root to mount.
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askGateway, type ClientOutcome } from '../support/client-outcome.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { ERROR, LogLines } from '../support/log-lines.ts';
import { DISK_FULL_GETS } from '../support/origin-fault-table.ts';

const MIB = 1024 * 1024;
const DISK_BYTES = 32 * MIB;
/** Disks fill as fast as they are written; nothing waits for anything. */
const WITHIN_MS = 10_000;
const KEPT = Buffer.alloc(MIB, 'kept');
const TOO_MUCH = Buffer.alloc(DISK_BYTES, 'x');

const disk = mountSmallDisk(await mkdtemp(join(tmpdir(), 'dfstore-disk-')));

describe.skipIf(!disk.mounted)('a full disk (skipped where no file system can be mounted)', () => {
  const log = new LogLines();
  let gateway: TestGateway;

  beforeAll(async () => {
    const backends = { local: { type: 'fs', root: join(disk.path, 'objects'), reserve: '4MiB' } };
    gateway = await startGateway({ log: log.logger, config: { backends } });
    await ask('PUT', '/bucket');
    expect(await ask('PUT', '/bucket/kept', KEPT)).toMatchObject({ status: 200 });
  });
  afterAll(() => gateway.close());

  function ask(method: string, path: string, body: Buffer | string = ''): Promise<ClientOutcome> {
    return askGateway(gateway, { method, path, body });
  }

  async function expectNothingLeft(): Promise<void> {
    const listed = (await ask('GET', '/bucket?list-type=2')).body.toString();
    expect([...listed.matchAll(/<Key>([^<]*)/g)].map(([, key]) => key)).toEqual(['kept']);
    // What was received in part is gone from the disk as well: there is room again.
    const files = await readdir(join(disk.path, 'objects'), { recursive: true });
    expect(files.filter((name) => /(^|\/)tmp\/./.test(name))).toEqual([]);
    expect((await ask('GET', '/bucket/kept')).body.equals(KEPT)).toBe(true);
  }

  test('a put that the disk has no room for fails, leaves nothing, and tells the operator what to do', async () => {
    const refused = await ask('PUT', '/bucket/too-much', TOO_MUCH);
    expect(refused).toMatchObject(DISK_FULL_GETS);
    expect(refused.elapsedMs).toBeLessThan(WITHIN_MS);
    expect(log.of('too-much')).toMatchObject([{ level: ERROR, backend: 'local', code: 'OutOfSpace' }]);
    expect(JSON.stringify(log.of('too-much'))).toMatch(/free space/);
    await expectNothingLeft();
  });

  test('a part that the disk has no room for fails, and the upload is as it was', async () => {
    const begun = await ask('POST', '/bucket/upload?uploads');
    const uploadId = /<UploadId>([^<]*)/.exec(begun.body.toString())?.[1];
    const path = `/bucket/upload?partNumber=1&uploadId=${uploadId}`;
    expect(await ask('PUT', path, TOO_MUCH)).toMatchObject(DISK_FULL_GETS);
    const parts = await ask('GET', `/bucket/upload?uploadId=${uploadId}`);
    expect(parts.body.toString()).not.toContain('<Part>');
    expect(await ask('DELETE', `/bucket/upload?uploadId=${uploadId}`)).toMatchObject({ status: 204 });
    await expectNothingLeft();
  });

  test('what fits is taken, and deletes make room while writes are refused', async () => {
    const half = Buffer.alloc(DISK_BYTES / 4, 'h');
    const puts: number[] = [];
    for (let index = 0; index < 5; index += 1) puts.push((await ask('PUT', `/bucket/fill-${index}`, half)).status);
    expect(puts).toContain(500);
    expect(puts[0]).toBe(200);
    for (let index = 0; index < 5; index += 1) {
      expect(await ask('DELETE', `/bucket/fill-${index}`)).toMatchObject({ status: 204 });
    }
    await expectNothingLeft();
    expect(await ask('PUT', '/bucket/again', half)).toMatchObject({ status: 200 });
  });
});

afterAll(async () => {
  if (disk.mounted) spawnSync('umount', [disk.path]);
  await rm(disk.path, { recursive: true });
});

function mountSmallDisk(path: string): { path: string; mounted: boolean } {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return { path, mounted: false };
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', path]);
  return { path, mounted: status === 0 };
}
