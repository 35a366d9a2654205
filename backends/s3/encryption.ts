// Encryption at an S3 origin: the fields of requests and answers. The SDK computes the MD5 of a customer's key itself.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/serv-side-encryption.html
import type { CustomerKey, EncryptionInfo, EncryptionOptions } from '../backend.ts';

export function toEncryptionFields({ encryption, customerKey }: EncryptionOptions) {
  return {
    ...(encryption !== undefined && { ServerSideEncryption: encryption.algorithm }),
    ...(encryption?.kmsKeyId !== undefined && { SSEKMSKeyId: encryption.kmsKeyId }),
    ...(encryption?.kmsContext !== undefined && { SSEKMSEncryptionContext: encryption.kmsContext }),
    ...(encryption?.bucketKey !== undefined && { BucketKeyEnabled: encryption.bucketKey }),
    ...toCustomerKeyFields(customerKey),
  };
}

export function toCustomerKeyFields(customerKey: CustomerKey | undefined) {
  if (customerKey === undefined) return {};
  return { SSECustomerAlgorithm: customerKey.algorithm, SSECustomerKey: customerKey.key };
}

export function toSourceKeyFields(customerKey: CustomerKey | undefined) {
  if (customerKey === undefined) return {};
  return { CopySourceSSECustomerAlgorithm: customerKey.algorithm, CopySourceSSECustomerKey: customerKey.key };
}

interface EncryptionFields {
  readonly ServerSideEncryption?: string | undefined;
  readonly SSEKMSKeyId?: string | undefined;
  readonly BucketKeyEnabled?: boolean | undefined;
  readonly SSECustomerAlgorithm?: string | undefined;
  readonly SSECustomerKeyMD5?: string | undefined;
}

/** Undefined: the origin tells of none. */
export function toEncryptionInfo(fields: EncryptionFields): EncryptionInfo | undefined {
  const info = {
    algorithm: fields.ServerSideEncryption,
    kmsKeyId: fields.SSEKMSKeyId,
    bucketKey: fields.BucketKeyEnabled,
    customerAlgorithm: fields.SSECustomerAlgorithm,
    customerKeyMd5: fields.SSECustomerKeyMD5,
  };
  return Object.values(info).some((value) => value !== undefined) ? info : undefined;
}
