// Files for the client stories: bytes that no run-length luck can get right, and the digest they must keep.
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

export const BIG_BYTES = 100 * 1024 * 1024;

export interface SampleFiles {
  readonly folder: string;
  readonly small: string;
  /** 100 MiB: every client uploads it in parts. */
  readonly big: string;
  readonly bigSha256: string;
  remove(): Promise<void>;
}

export async function makeSampleFiles(): Promise<SampleFiles> {
  const folder = await mkdtemp(join(tmpdir(), 'dfstore-client-'));
  const small = join(folder, 'small.txt');
  const big = join(folder, 'big.bin');
  await writeFile(small, 'hello, dfstore\n');
  await writeFile(big, randomBytes(BIG_BYTES));
  return { folder, small, big, bigSha256: await sha256(big), remove: () => rm(folder, { recursive: true }) };
}

export async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
