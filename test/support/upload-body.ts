// Upload bodies for tests: whole ones from bytes, and ones that break or stall on the way.
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Checksum, UploadBody } from '../../backends/backend.ts';

interface UploadBodyOptions {
  /** What the client says of the body; a full-object checksum also becomes the computed one. */
  readonly checksum?: Checksum | undefined;
  readonly chunkBytes?: number | undefined;
}

/** A body that carries exactly these bytes and whose digests are theirs. */
export function uploadBody(bytes: Uint8Array, options: UploadBodyOptions = {}): UploadBody {
  const stream = Readable.from(chunks(bytes, options.chunkBytes ?? 65_536), { objectMode: false });
  return {
    sizeBytes: bytes.length,
    stream,
    declared: { checksum: options.checksum },
    digests: () => {
      if (!stream.readableEnded) throw new Error('digests() was called before the stream ended.');
      return { md5: md5(bytes), checksum: options.checksum };
    },
  };
}

/** Gives out `bytes`, then is destroyed with `error` (or without one) although `sizeBytes` promised more. */
export function brokenBody(bytes: Uint8Array, sizeBytes: number, error?: Error): UploadBody {
  let sent = false;
  const stream = new Readable({
    read() {
      if (sent) this.destroy(error);
      else this.push(bytes);
      sent = true;
    },
  });
  return unfinished(stream, sizeBytes);
}

/** Gives out `bytes`, then nothing more for ever; `stalled` settles when the reader waits for the rest. */
export function stalledBody(bytes: Uint8Array, sizeBytes: number): { body: UploadBody; stalled: Promise<void> } {
  let reached: () => void = () => {};
  const stalled = new Promise<void>((resolve) => {
    reached = resolve;
  });
  let sent = false;
  const stream = new Readable({
    read() {
      if (sent) reached();
      else this.push(bytes);
      sent = true;
    },
  });
  return { body: unfinished(stream, sizeBytes), stalled };
}

export function md5(bytes: Uint8Array): Buffer {
  return createHash('md5').update(bytes).digest();
}

function unfinished(stream: Readable, sizeBytes: number): UploadBody {
  return {
    sizeBytes,
    stream,
    declared: {},
    digests: () => {
      throw new Error('digests() was called on a body that never ended.');
    },
  };
}

function* chunks(bytes: Uint8Array, chunkBytes: number): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += chunkBytes) {
    yield Buffer.from(bytes.subarray(start, start + chunkBytes));
  }
}
