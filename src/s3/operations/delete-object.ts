// DeleteObject. https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
import type { Answer } from '../answer.ts';
import { refuseConditions } from '../conditions.ts';
import { versionIdParameter } from '../parameters.ts';
import type { OperationContext } from './operation-context.ts';

export async function deleteObject(context: OperationContext): Promise<Answer> {
  const { bucket, key, objects, query } = context;
  refuseConditions(context.headers);
  const deleted = await objects.delete({ bucket, key }, { versionId: versionIdParameter(query) }, context.signal);
  return {
    status: 204,
    headers: {
      'x-amz-version-id': deleted.versionId,
      'x-amz-delete-marker': deleted.deleteMarker ? 'true' : undefined,
    },
  };
}
