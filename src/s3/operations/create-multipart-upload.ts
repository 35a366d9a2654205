// CreateMultipartUpload. https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html
import type { Answer } from '../answer.ts';
import { checkChecksumType, parseChecksumAlgorithm, parseChecksumType } from '../checksum-elements.ts';
import { parseObjectAttributes } from '../object-attributes.ts';
import type { OperationContext } from './operation-context.ts';

export async function createMultipartUpload(context: OperationContext): Promise<Answer> {
  const { bucket, key, headers, objects } = context;
  const checksumAlgorithm = parseChecksumAlgorithm(headers['x-amz-checksum-algorithm']);
  const checksumType = parseChecksumType(headers['x-amz-checksum-type']);
  checkChecksumType(checksumAlgorithm, checksumType);
  const attributes = parseObjectAttributes(headers, objects.capabilities(bucket));
  const uploadId = await objects.createUpload(
    { bucket, key },
    { ...attributes, checksumAlgorithm, checksumType },
    context.signal,
  );
  return {
    status: 200,
    headers: {
      'x-amz-checksum-algorithm': checksumAlgorithm,
      'x-amz-checksum-type':
        checksumType ?? (checksumAlgorithm && (checksumAlgorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE')),
    },
    body: { xml: { root: 'InitiateMultipartUploadResult', content: { Bucket: bucket, Key: key, UploadId: uploadId } } },
  };
}
