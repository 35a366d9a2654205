// S3 refuses a multipart upload whose parts, but for the last, are under 5 MiB. Some origins take smaller ones; clients
// written for S3 rely on the refusal, so it is made here.
import {
  BackendError,
  type Capabilities,
  type CompletedPart,
  type Multipart,
  type UploadRef,
} from '../../backends/backend.ts';

const S3_PART_MIN_BYTES = 5 * 1024 * 1024;
const PAGE = 1000;

export async function refuseSmallParts(
  multipart: Pick<Multipart, 'listParts'>,
  capabilities: Capabilities,
  upload: UploadRef,
  parts: readonly CompletedPart[],
  signal: AbortSignal,
): Promise<void> {
  if (capabilities.partMinBytes >= S3_PART_MIN_BYTES || parts.length < 2) return;
  const last = parts.at(-1)?.partNumber;
  const listed = new Set(parts.map((part) => part.partNumber));
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page: Awaited<ReturnType<Multipart['listParts']>> = await multipart.listParts(
      upload,
      { after, maxEntries: PAGE },
      signal,
    );
    const small = page.parts.find(
      (part) => listed.has(part.partNumber) && part.partNumber !== last && part.sizeBytes < S3_PART_MIN_BYTES,
    );
    if (small !== undefined) {
      throw new BackendError(
        'EntityTooSmall',
        `Part ${small.partNumber} has ${small.sizeBytes} bytes; only the last may have less than 5 MiB.`,
      );
    }
    after = page.nextAfter;
  }
}
