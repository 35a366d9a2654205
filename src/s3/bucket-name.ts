// Which names a bucket may have: S3's rules, less the endings and beginnings that make SDKs speak another protocol.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
import { S3Error } from './errors.ts';

/** Labels as DNS has them, so that every name also works in the host. */
const LABELS = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;
const IP_ADDRESS = /^\d+\.\d+\.\d+\.\d+$/;
/** SDKs take these for access points, directory buckets and the like, and switch protocols. */
const RESERVED = /^(xn--|sthree-)|(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/;

function isValidBucketName(name: string): boolean {
  if (name.length < 3 || name.length > 63) return false;
  return LABELS.test(name) && !IP_ADDRESS.test(name) && !RESERVED.test(name);
}

export function checkBucketName(name: string): void {
  if (!isValidBucketName(name)) {
    throw new S3Error('InvalidBucketName', undefined, { details: { BucketName: name } });
  }
}
