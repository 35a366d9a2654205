// npm run bench:peer-hit: what a piece that another gateway holds costs, both ends together, beside plain undici asking
// plain node:http in the same run. The piece is 4 MiB in memory and 256 KiB a block; what comes is proved by its digests,
// as in a gateway, and is not written to a disk.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { request } from 'undici';
import { countFromOne, scriptCommand } from '../../test/support/script-command.ts';
import { borrowerOf, content, PIECE_BYTES, serveMesh } from './exchange-ends.ts';

const GIB = 1024 ** 3;
const PIECES_A_ROUND = 64;

const command = scriptCommand(
  'bench:peer-hit',
  'Measures what a piece that another gateway holds costs in CPU, beside plain undici asking plain node:http.',
)
  .argument('[rounds]', 'how often both are measured', countFromOne, 7)
  .parse();
const rounds: number = command.processedArgs[0];

const bare = createServer((_req, res) => res.end(content)).listen(0, '127.0.0.1');
const server = await serveMesh();
const borrow = borrowerOf(`127.0.0.1:${server.port}`);
const plainUrl = `http://127.0.0.1:${(bare.address() as AddressInfo).port}/`;
const plain = async () => {
  const { body } = await request(plainUrl);
  for await (const _ of body);
};

const ratios: number[] = [];
await cpuOf(plain);
await cpuOf(borrow);
for (let round = 1; round <= rounds; round += 1) {
  const [theirs, ours] = [await cpuOf(plain), await cpuOf(borrow)];
  ratios.push(ours / theirs);
  const shown = `undici and node:http ${theirs.toFixed(2)}, mesh ${ours.toFixed(2)} CPU-s/GiB`;
  console.log(`round ${round}: ${shown}, ${(ours / theirs).toFixed(2)} times`);
}
const middle = ratios.toSorted((left, right) => left - right)[Math.floor(rounds / 2)] ?? Number.NaN;
console.log(`median: ${middle.toFixed(2)} times the CPU of plain undici and node:http`);
process.exit(0);

/** CPU-seconds for each GiB, both ends. */
async function cpuOf(fetchOne: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  for (let count = 0; count < PIECES_A_ROUND; count += 1) await fetchOne();
  const { user, system } = process.cpuUsage(before);
  return ((user + system) / 1e6) * (GIB / (PIECES_A_ROUND * PIECE_BYTES));
}
