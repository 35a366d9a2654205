// CompleteMultipartUpload. https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
import type { CompletedPart } from '../../../backends/backend.ts';
import type { Answer } from '../answer.ts';
import { checksumElements, checksumOfElement, declaredChecksum } from '../checksum-elements.ts';
import { parseWriteConditions, quoteEtag, unquoteEtag } from '../conditions.ts';
import { encryptionHeaders } from '../encryption.ts';
import { S3Error } from '../errors.ts';
import { invalidArgument, PART_NUMBER_MAX } from '../parameters.ts';
import { encodeKey } from '../target.ts';
import type { XmlElement } from '../xml.ts';
import type { OperationContext } from './operation-context.ts';
import { uploadOf } from './upload-part.ts';

export async function completeMultipartUpload(context: OperationContext): Promise<Answer> {
  const { bucket, key, headers, objects } = context;
  const upload = uploadOf(context);
  const options = {
    conditions: parseWriteConditions(headers, objects.capabilities(bucket)),
    checksum: declaredChecksum(headers),
    sizeBytes: declaredSize(headers['x-amz-mp-object-size']),
  };
  const parts = parseParts(await context.body.readXmlAboutObject('CompleteMultipartUpload'));
  const written = await objects.completeUpload(upload, parts, options, context.signal);
  return {
    status: 200,
    headers: { 'x-amz-version-id': written.versionId, ...encryptionHeaders(written.encryption) },
    body: {
      xml: {
        root: 'CompleteMultipartUploadResult',
        content: {
          Location: `${context.endpoint}/${bucket}/${encodeKey(key)}`,
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
