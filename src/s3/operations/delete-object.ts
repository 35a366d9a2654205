// DeleteObject. https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
import type { Answer } from '../answer.ts';
import { parseDeleteConditions, refuseConditions } from '../conditions.ts';
import { versionIdParameter } from '../parameters.ts';
import type { OperationContext } from './operation-context.ts';

/** S3 has no such conditions on a delete. */
const NEVER_OFFERED = ['if-none-match', 'if-modified-since', 'if-unmodified-since'];

export async function deleteObject(context: OperationContext): Promise<Answer> {
  const { bucket, key, headers, objects, query } = context;
  refuseConditions(headers, NEVER_OFFERED);
  const named = {
    etag: headers['if-match'],
    lastModified: headers['x-amz-if-match-last-modified-time'],
    size: headers['x-amz-if-match-size'],
  };
  const conditions = parseDeleteConditions(named, objects.capabilities(bucket));
  const options = { versionId: versionIdParameter(query), conditions };
  const deleted = await objects.delete({ bucket, key }, options, context.signal);
  return {
    status: 204,
    headers: {
      'x-amz-version-id': deleted.versionId,
      'x-amz-delete-marker': deleted.deleteMarker ? 'true' : undefined,
    },
  };
}
