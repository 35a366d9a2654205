// GetObjectAttributes from the object's record. Of its parts it tells how many there are, not each one's size: origins
// do not keep those for the gateway. https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html
import type { ObjectInfo } from '../../../backends/backend.ts';
import type { Answer } from '../answer.ts';
import { checksumElements } from '../checksum-elements.ts';
import { invalidArgument, versionIdParameter } from '../parameters.ts';
import type { XmlObject } from '../xml.ts';
import type { OperationContext } from './operation-context.ts';

const ATTRIBUTES: Readonly<Record<string, (info: ObjectInfo) => XmlObject>> = {
  ETag: (info) => ({ ETag: info.etag }),
  Checksum: (info) => ({
    Checksum: info.checksum && { ...checksumElements(info.checksum), ChecksumType: info.checksum.type },
  }),
  ObjectParts: (info) => ({
    ObjectParts: info.partCount === undefined ? undefined : { TotalPartsCount: info.partCount },
  }),
  StorageClass: (info) => ({ StorageClass: info.storageClass ?? 'STANDARD' }),
  ObjectSize: (info) => ({ ObjectSize: info.sizeBytes }),
};

export async function getObjectAttributes(context: OperationContext): Promise<Answer> {
  const { bucket, key, objects, query } = context;
  const wanted = (context.headers['x-amz-object-attributes'] ?? '').split(',').map((name) => name.trim());
  const parts = wanted.map((name) => {
    const attribute = Object.hasOwn(ATTRIBUTES, name) ? ATTRIBUTES[name] : undefined;
    if (attribute === undefined)
      throw invalidArgument('x-amz-object-attributes', name, 'Invalid attribute name specified.');
    return attribute;
  });
  const { info } = await objects.head({ bucket, key }, { versionId: versionIdParameter(query) }, context.signal);
  return {
    status: 200,
    headers: { 'Last-Modified': info.lastModified.toUTCString(), 'x-amz-version-id': info.versionId },
    body: {
      xml: {
        root: 'GetObjectAttributesResponse',
        content: Object.assign({}, ...parts.map((attribute) => attribute(info))),
      },
    },
  };
}
