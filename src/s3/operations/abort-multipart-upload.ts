// AbortMultipartUpload. https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html
import type { Answer } from '../answer.ts';
import type { OperationContext } from './operation-context.ts';
import { uploadOf } from './upload-part.ts';

export async function abortMultipartUpload(context: OperationContext): Promise<Answer> {
  await context.objects.abortUpload(uploadOf(context), context.signal);
  return { status: 204 };
}
