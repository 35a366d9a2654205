// That a key is not there is told to those who may list it; all others learn no more than that they get nothing.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html#API_GetObject_RequestSyntax (Permissions)
import { BackendError } from '../../backends/backend.ts';
import { S3Error } from './errors.ts';
import type { OperationContext } from './operations/operation-context.ts';

/** Rejects with AccessDenied in place of NoSuchKey. */
export async function hidingMissing<T>(
  context: Pick<OperationContext, 'access' | 'bucket' | 'key'>,
  read: () => Promise<T>,
): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const isMissing = error instanceof BackendError && error.code === 'NoSuchKey';
    if (!isMissing || (await context.access.mayList(context.bucket, context.key))) throw error;
    throw new S3Error('AccessDenied', undefined, { cause: error });
  }
}
