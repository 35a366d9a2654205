// What a digest of a block costs, in CPU-seconds per GiB: the figures behind the choice in src/pieces/digests.ts.
// Run: npx tsx bench/pieces/digests.ts
import { createHash, randomBytes, webcrypto } from 'node:crypto';
import { blake3 } from '@napi-rs/blake-hash';
import { crc32, crc32c } from '@node-rs/crc32';

type Digest = (block: Buffer) => unknown;

const TOTAL_BYTES = 512 * 2 ** 20;
const ROUNDS = 5;

function candidates(): Map<string, Digest> {
  return new Map<string, Digest>([
    ['blake3 (@napi-rs/blake-hash)', (block) => blake3(block)],
    ['sha256 (node:crypto)', (block) => createHash('sha256').update(block).digest()],
    ['sha512-256 (node:crypto)', (block) => createHash('sha512-256').update(block).digest()],
    ['sha1 (node:crypto, broken: for scale)', (block) => createHash('sha1').update(block).digest()],
    ['blake2b512 (node:crypto)', (block) => createHash('blake2b512').update(block).digest()],
    ['crc32c (@node-rs/crc32)', (block) => crc32c(block)],
    ['crc32 (@node-rs/crc32)', (block) => crc32(block)],
    ['sha256 (webcrypto, thread pool)', (block) => webcrypto.subtle.digest('SHA-256', block)],
  ]);
}

async function cpuSecondsPerGib(digest: Digest, block: Buffer): Promise<number> {
  const before = process.cpuUsage();
  for (let done = 0; done < TOTAL_BYTES; done += block.length) {
    const result = digest(block);
    if (result instanceof Promise) await result;
  }
  const { user, system } = process.cpuUsage(before);
  return ((user + system) / 1e6) * (2 ** 30 / TOTAL_BYTES);
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

for (const blockSize of [64, 256, 4096]) {
  const block = randomBytes(blockSize * 1024);
  for (const [name, digest] of candidates()) {
    const rounds: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) rounds.push(await cpuSecondsPerGib(digest, block));
    process.stdout.write(`${blockSize} KiB  ${name.padEnd(40)} ${median(rounds).toFixed(3)} CPU-s/GiB\n`);
  }
}
