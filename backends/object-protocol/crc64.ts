// CRC-64 (ECMA-182, reflected), the checksum that OSS computes of every object: compared with what was sent and with
// what arrived, it covers the whole way. 1.3 GiB/s in WebAssembly, so whole bodies are always checked.
import { type Readable, Transform, type TransformCallback } from 'node:stream';
import { createCRC64 } from 'hash-wasm';
import { BackendError } from '../backend.ts';

export interface Crc64 {
  update(bytes: Uint8Array): void;
  /** As the header has it: an unsigned decimal. */
  digest(): string;
}

export async function createCrc64(): Promise<Crc64> {
  const hasher = await createCRC64();
  hasher.init();
  return {
    update: (bytes) => {
      hasher.update(bytes);
    },
    digest: () => BigInt(`0x${hasher.digest('hex')}`).toString(),
  };
}

/** Passes a whole object on and holds its last chunk back until the checksum has proved true. */
export function verified(source: Readable, crc: Crc64, expected: string): Readable {
  let held: Buffer | undefined;
  const checked = new Transform({
    transform(chunk: Buffer, _encoding, callback: TransformCallback) {
      crc.update(chunk);
      const previous = held;
      held = chunk;
      callback(null, previous);
    },
    flush(callback) {
      if (crc.digest() === expected) callback(null, held);
      else callback(new BackendError('Internal', 'The bytes from the origin do not have the CRC-64 it tells of them.'));
    },
  });
  // As with any body of a read: an error before the consumer listens must not end the process.
  checked.on('error', () => undefined);
  source.on('error', (error) => checked.destroy(error));
  checked.on('close', () => source.destroy());
  source.pipe(checked);
  return checked;
}
