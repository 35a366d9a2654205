// GetObjectAttributes: what an object's record tells, and the parts it was made of where its origin tells them.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html
import type { ObjectInfo } from '../../../backends/backend.ts';
import type { Answer } from '../answer.ts';
import { checksumElements } from '../checksum-elements.ts';
import { parseCustomerKey } from '../encryption.ts';
import { PAGE_MAX_ENTRIES } from '../listing.ts';
import { invalidArgument, numberParameter, PART_NUMBER_MAX, versionIdParameter } from '../parameters.ts';
import type { XmlObject } from '../xml.ts';
import type { OperationContext } from './operation-context.ts';

type Attribute = (info: ObjectInfo, context: OperationContext) => XmlObject | Promise<XmlObject>;

const ATTRIBUTES: Readonly<Record<string, Attribute>> = {
  ETag: (info) => ({ ETag: info.etag }),
  Checksum: (info) => ({
    Checksum: info.checksum && { ...checksumElements(info.checksum), ChecksumType: info.checksum.type },
  }),
  ObjectParts: async (info, context) => ({ ObjectParts: await objectParts(info, context) }),
  StorageClass: (info) => ({ StorageClass: info.storageClass ?? 'STANDARD' }),
  ObjectSize: (info) => ({ ObjectSize: info.sizeBytes }),
};

export async function getObjectAttributes(context: OperationContext): Promise<Answer> {
  const { bucket, key, objects, query } = context;
  const wanted = wantedAttributes(context.headers['x-amz-object-attributes']);
  const customerKey = parseCustomerKey(context.headers, objects.capabilities(bucket));
  const options = { versionId: versionIdParameter(query), customerKey };
  const { info } = await objects.head({ bucket, key }, options, context.signal);
  const elements = await Promise.all(wanted.map((attribute) => attribute(info, context)));
  return {
    status: 200,
    headers: { 'Last-Modified': info.lastModified.toUTCString(), 'x-amz-version-id': info.versionId },
    body: { xml: { root: 'GetObjectAttributesResponse', content: Object.assign({}, ...elements) } },
  };
}

function wantedAttributes(header = ''): Attribute[] {
  return header.split(',').map((text) => {
    const name = text.trim();
    const attribute = Object.hasOwn(ATTRIBUTES, name) ? ATTRIBUTES[name] : undefined;
    if (attribute !== undefined) return attribute;
    throw invalidArgument('x-amz-object-attributes', name, 'Invalid attribute name specified.');
  });
}

/** S3 gives each part's size and checksum only of uploads that had checksums; here whatever the origin tells is given. */
async function objectParts(info: ObjectInfo, context: OperationContext): Promise<XmlObject | undefined> {
  const { bucket, key, headers, objects } = context;
  const given = new Map(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  const marker = numberParameter(given, 'x-amz-part-number-marker', { fallback: 0, max: PART_NUMBER_MAX });
  const asked = numberParameter(given, 'x-amz-max-parts', { fallback: PAGE_MAX_ENTRIES });
  const maxParts = Math.min(asked, PAGE_MAX_ENTRIES);
  // Parts of the very version that the rest of the answer is about, where versions have names.
  const ref = { bucket, key, versionId: info.versionId };
  const page = await objects.objectParts(ref, { after: marker, maxEntries: Math.max(1, maxParts) }, context.signal);
  if (page === undefined) return info.partCount === undefined ? undefined : { PartsCount: info.partCount };
  const parts = maxParts === 0 ? [] : page.parts;
  return {
    PartsCount: page.partCount,
    PartNumberMarker: marker,
    NextPartNumberMarker: parts.at(-1)?.partNumber ?? marker,
    MaxParts: maxParts,
    IsTruncated: maxParts > 0 && page.nextAfter !== undefined,
    Part: parts.map(({ partNumber, sizeBytes, checksum }) => ({
      PartNumber: partNumber,
      Size: sizeBytes,
      ...checksumElements(checksum),
    })),
  };
}
