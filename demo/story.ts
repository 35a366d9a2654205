// What the demo does with its mesh, and what it tells of it.
import { createHash, randomBytes } from 'node:crypto';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { formatBytes } from '../src/cli/quantities.ts';
import type { DemoMesh, Keys } from './demo-mesh.ts';
import type { GatewayProcess } from './gateway-process.ts';

export const BUCKET = 'demo';
export interface Sizes {
  /** Bytes; and bytes a second that the origin gives. */
  readonly size: number;
  readonly rate: number;
}

export async function tellStory(mesh: DemoMesh, { size, rate }: Sizes, signal: AbortSignal): Promise<void> {
  const clients = mesh.gateways.map((gateway) => ({ gateway, s3: clientOf(gateway, mesh.keys) }));
  const [first, ...others] = clients;
  if (first === undefined) throw new Error('There is no gateway to put files with.');
  const origin = clientOf(mesh.origin, mesh.keys);
  const file = randomBytes(size);
  const seconds = (size / rate).toFixed(0);

  await origin.send(new CreateBucketCommand({ Bucket: BUCKET }), { abortSignal: signal });
  await origin.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'cold.bin', Body: file }), { abortSignal: signal });
  console.log(`
A file of ${formatBytes(size)} is at an origin that gives ${formatBytes(rate)} a second, to everybody together: one copy takes ${seconds} s.

All three gateways are asked for it at once, and none has it:`);
  await readAndTell(clients, { key: 'cold.bin', file }, signal);

  console.log('\nAll three are asked again:');
  await readAndTell(clients, { key: 'cold.bin', file }, signal);

  const own = randomBytes(size);
  await first.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'own.bin', Body: own }), { abortSignal: signal });
  console.log(
    `\nAnother file is put through gateway ${first.gateway.name}, which passes it on to the origin. The other two are asked for it:`,
  );
  await readAndTell(others, { key: 'own.bin', file: own }, signal);
}

interface Client {
  readonly gateway: GatewayProcess;
  readonly s3: S3Client;
}

function clientOf({ s3Url }: GatewayProcess, keys: Keys): S3Client {
  return new S3Client({ endpoint: s3Url, region: 'us-east-1', forcePathStyle: true, credentials: keys });
}

interface Wanted {
  readonly key: string;
  readonly file: Buffer;
}

/** All at once; a line for each, and what the origin gave. */
async function readAndTell(clients: readonly Client[], wanted: Wanted, signal: AbortSignal): Promise<void> {
  const readings = await Promise.all(clients.map((client) => read(client, wanted, signal)));
  console.log(line(['gateway', 'took', 'from the origin', 'from the others', 'had it']));
  for (const { name, seconds, fromOrigin, fromOthers } of readings) {
    const had = Math.max(0, wanted.file.length - fromOrigin - fromOthers);
    console.log(line([name, `${seconds.toFixed(1)} s`, ...[fromOrigin, fromOthers, had].map(cell)]));
  }
  const bytes = readings.reduce((sum, { fromOrigin }) => sum + fromOrigin, 0);
  const times = (bytes / wanted.file.length).toFixed(2);
  console.log(`The origin gave ${formatBytes(bytes)}: ${times} times the file, for ${clients.length} readers.`);
}

/** Checks every byte. */
async function read({ gateway, s3 }: Client, { key, file }: Wanted, signal: AbortSignal) {
  const before = await bytesOf(gateway);
  const startedAt = performance.now();
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }), { abortSignal: signal });
  const hash = createHash('sha256');
  for await (const chunk of Body as AsyncIterable<Buffer>) hash.update(chunk);
  const seconds = (performance.now() - startedAt) / 1000;
  if (!hash.digest().equals(createHash('sha256').update(file).digest())) {
    throw new Error(`Gateway ${gateway.name} gave other bytes for ${key}.`);
  }
  const after = await bytesOf(gateway);
  return {
    name: gateway.name,
    seconds,
    fromOrigin: after.fromOrigin - before.fromOrigin,
    fromOthers: after.fromOthers - before.fromOthers,
  };
}

/** That it has read so far. */
async function bytesOf(gateway: GatewayProcess) {
  return {
    fromOrigin: await gateway.count('dfstore_origin_read_bytes_total'),
    fromOthers: await gateway.count('dfstore_peer_read_bytes_total'),
  };
}

function cell(bytes: number): string {
  return bytes === 0 ? '-' : formatBytes(bytes);
}

function line(cells: readonly string[]): string {
  return `  ${cells.map((text) => text.padEnd(18)).join('')}`.trimEnd();
}
