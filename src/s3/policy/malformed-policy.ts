// A bucket policy that is refused, and why.
import { S3Error } from '../errors.ts';

export function malformedPolicy(message: string): S3Error {
  return new S3Error('MalformedPolicy', message);
}
