// CompleteMultipartUpload. https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
import { BackendError, type CompletedPart, type UploadRef } from '../../../backends/backend.ts';
import type { Answer } from '../answer.ts';
import { checksumElements, checksumOfElement, declaredChecksum } from '../checksum-elements.ts';
import { parseWriteConditions, quoteEtag, unquoteEtag } from '../conditions.ts';
import { S3Error } from '../errors.ts';
import { invalidArgument, PART_NUMBER_MAX } from '../parameters.ts';
import type { XmlElement } from '../xml.ts';
import type { OperationContext } from './operation-context.ts';
import { uploadOf } from './upload-part.ts';

/** S3's smallest part but the last, which tools rely on being told of. */
const PART_MIN_BYTES = 5 * 1024 ** 2;

export async function completeMultipartUpload(context: OperationContext): Promise<Answer> {
  const { bucket, key, headers, objects } = context;
  const upload = uploadOf(context);
  const capabilities = objects.capabilities(bucket);
  const options = {
    conditions: parseWriteConditions(headers, capabilities),
    checksum: declaredChecksum(headers),
    sizeBytes: declaredSize(headers['x-amz-mp-object-size']),
  };
  const parts = parseParts(await context.body.readXml('CompleteMultipartUpload'));
  if (capabilities.partMinBytes < PART_MIN_BYTES) await checkPartSizes(context, upload, parts);
  const written = await objects.completeUpload(upload, parts, options, context.signal);
  return {
    status: 200,
    headers: { 'x-amz-version-id': written.versionId },
    body: {
      xml: {
        root: 'CompleteMultipartUploadResult',
        content: {
          Location: `${context.endpoint}/${bucket}/${encodeURIComponent(key).replaceAll('%2F', '/')}`,
          Bucket: bucket,
          Key: key,
          ETag: quoteEtag(written.etag),
          ...checksumElements(written.checksum),
          ChecksumType: written.checksum?.type,
        },
      },
    },
  };
}

function parseParts(document: XmlElement): CompletedPart[] {
  const elements = document.all('Part');
  if (elements.length === 0 || elements.length > PART_NUMBER_MAX) throw new S3Error('MalformedXML');
  let last = 0;
  return elements.map((element) => {
    const part = parsePart(element);
    if (part.partNumber <= last) throw new S3Error('InvalidPartOrder');
    last = part.partNumber;
    return part;
  });
}

function parsePart(element: XmlElement): CompletedPart {
  const number = element.first('PartNumber')?.text.trim() ?? '';
  const etag = unquoteEtag(element.first('ETag')?.text ?? '');
  if (!/^\d{1,10}$/.test(number) || etag === '') throw new S3Error('MalformedXML');
  const partNumber = Number(number);
  if (partNumber < 1 || partNumber > PART_NUMBER_MAX) {
    throw invalidArgument('PartNumber', number, 'PartNumber must be an integer between 1 and 10000, inclusive');
  }
  return { partNumber, etag, checksum: checksumOfElement(element) };
}

function declaredSize(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const size = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(size)) throw invalidArgument('x-amz-mp-object-size', text);
  return size;
}

/** For origins that take smaller parts than S3 does. */
async function checkPartSizes(
  context: OperationContext,
  upload: UploadRef,
  parts: readonly CompletedPart[],
): Promise<void> {
  const wanted = new Set(parts.slice(0, -1).map((part) => part.partNumber));
  let after: number | undefined;
  do {
    const page = await listedParts(context, upload, after);
    const small = page?.parts.find((part) => wanted.has(part.partNumber) && part.sizeBytes < PART_MIN_BYTES);
    if (small !== undefined) {
      throw new S3Error('EntityTooSmall', undefined, {
        details: {
          PartNumber: String(small.partNumber),
          ProposedSize: String(small.sizeBytes),
          MinSizeAllowed: String(PART_MIN_BYTES),
        },
      });
    }
    after = page?.nextAfter;
  } while (after !== undefined);
}

/** An upload that is completed already has no parts; completing it again is the backend's to answer. */
async function listedParts(context: OperationContext, upload: UploadRef, after: number | undefined) {
  try {
    return await context.objects.listParts(upload, { after, maxEntries: 1000 }, context.signal);
  } catch (error) {
    if (error instanceof BackendError && error.code === 'NoSuchUpload') return undefined;
    throw error;
  }
}
