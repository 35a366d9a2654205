// A body on its way into a temporary file. What it returns is on the disk and belongs to nobody yet.
import { rm } from 'node:fs/promises';
import { BackendError, type Checksum, type UploadBody } from '../backend.ts';
import { drainBody, type FileStamp, writeFile } from './durable-file.ts';
import type { Layout } from './layout.ts';

export interface Received {
  readonly temp: string;
  readonly stamp: FileStamp;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly checksum: Checksum | undefined;
}

/** `use` moves the file to where it belongs; when anything rejects, nothing is left behind. */
export async function withReceived<T>(
  body: UploadBody,
  deps: { readonly layout: Pick<Layout, 'newTemp'>; readonly fsync: boolean },
  use: (received: Received) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const temp = deps.layout.newTemp();
  try {
    const file = await writeFile(temp, (write) => drainBody(body, write, signal), deps.fsync);
    const { md5, checksum } = body.digests();
    if (md5 === undefined)
      throw new BackendError('Internal', 'A body came without the MD5 that this backend asks for.');
    return await use({ temp, ...file, etag: md5.toString('hex'), checksum });
  } catch (error) {
    await rm(temp, { force: true });
    throw error;
  }
}
