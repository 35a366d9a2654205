// CreateMultipartUpload. https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html
import type { Answer } from '../answer.ts';
import { expectObjectAcl } from '../bucket-acls.ts';
import { checkChecksumType, parseChecksumAlgorithm, parseChecksumType } from '../checksum-elements.ts';
import { encryptionHeaders, parseEncryption } from '../encryption.ts';
import { parseObjectAttributes } from '../object-attributes.ts';
import type { OperationContext } from './operation-context.ts';

export async function createMultipartUpload(context: OperationContext): Promise<Answer> {
  const { bucket, key, headers, objects } = context;
  const checksumAlgorithm = parseChecksumAlgorithm(headers['x-amz-checksum-algorithm']);
  const checksumType = parseChecksumType(headers['x-amz-checksum-type']);
  checkChecksumType(checksumAlgorithm, checksumType);
  const capabilities = objects.capabilities(bucket);
  const attributes = parseObjectAttributes(headers, capabilities);
  const encryption = parseEncryption(headers, capabilities);
  await expectObjectAcl(context.settings, bucket, attributes.acl, context.signal);
  const uploadId = await objects.createUpload(
    { bucket, key },
    { ...attributes, ...encryption, checksumAlgorithm, checksumType },
    context.signal,
  );
  return {
    status: 200,
    headers: {
      // As asked: what the origin makes of it shows when the upload is complete.
      ...encryptionHeaders({
        ...encryption.encryption,
        customerAlgorithm: encryption.customerKey?.algorithm,
        customerKeyMd5: encryption.customerKey && headers['x-amz-server-side-encryption-customer-key-md5'],
      }),
      'x-amz-checksum-algorithm': checksumAlgorithm,
      'x-amz-checksum-type':
        checksumType ?? (checksumAlgorithm && (checksumAlgorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE')),
    },
    body: { xml: { root: 'InitiateMultipartUploadResult', content: { Bucket: bucket, Key: key, UploadId: uploadId } } },
  };
}
