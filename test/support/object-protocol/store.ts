// What the protocol server keeps, in memory: buckets, objects, pending uploads.
import { createHash } from 'node:crypto';
import { StoredVersions } from './versions.ts';

export interface StoredObject {
  readonly bytes: Buffer;
  /** Lower-case, unquoted; the dialect writes it its own way. */
  readonly etag: string;
  /** Unsigned decimal. */
  readonly crc64: string;
  readonly modified: Date;
  /** Content-*, metadata, storage class, tags: as they came, lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface StoredUpload {
  readonly id: string;
  readonly key: string;
  readonly initiated: Date;
  readonly headers: Readonly<Record<string, string>>;
  readonly parts: Map<number, StoredObject>;
}

export class StoredBucket {
  readonly name: string;
  readonly created = new Date();
  /** What is current; changed through `versions` alone. */
  readonly objects = new Map<string, StoredObject>();
  readonly versions = new StoredVersions(this.objects);
  readonly uploads = new Map<string, StoredUpload>();

  constructor(name: string) {
    this.name = name;
  }
}

export function storedObject(bytes: Buffer, headers: Readonly<Record<string, string>>): StoredObject {
  const etag = createHash('md5').update(bytes).digest('hex');
  return { bytes, etag, crc64: crc64(bytes), modified: wholeSecond(), headers };
}

export function assembledObject(
  parts: readonly StoredObject[],
  headers: Readonly<Record<string, string>>,
): StoredObject {
  const md5 = createHash('md5');
  for (const part of parts) md5.update(Buffer.from(part.etag, 'hex'));
  const whole = storedObject(Buffer.concat(parts.map(({ bytes }) => bytes)), headers);
  return { ...whole, etag: `${md5.digest('hex')}-${parts.length}` };
}

/** CRC-64/XZ bit by bit from its polynomial: slow, and nobody else's code. Eight bytes' worth of table. */
function crc64(bytes: Buffer): string {
  let low = 0xffffffff;
  let high = 0xffffffff;
  for (const byte of bytes) {
    const index = (low ^ byte) & 0xff;
    low = ((low >>> 8) | (high << 24)) ^ (TABLE_LOW[index] ?? 0);
    high = (high >>> 8) ^ (TABLE_HIGH[index] ?? 0);
  }
  const value = (BigInt(~high >>> 0) << 32n) | BigInt(~low >>> 0);
  return value.toString();
}

const TABLE_LOW = new Int32Array(256);
const TABLE_HIGH = new Int32Array(256);
for (let index = 0; index < 256; index += 1) {
  let value = BigInt(index);
  for (let bit = 0; bit < 8; bit += 1) value = value & 1n ? (value >> 1n) ^ 0xc96c5795d7870f42n : value >> 1n;
  TABLE_LOW[index] = Number(BigInt.asIntN(32, value));
  TABLE_HIGH[index] = Number(BigInt.asIntN(32, value >> 32n));
}

function wholeSecond(): Date {
  return new Date(Math.floor(Date.now() / 1000) * 1000);
}
