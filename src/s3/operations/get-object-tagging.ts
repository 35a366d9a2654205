// GetObjectTagging, as far as it can be told: the contract has no way to read tags, so an object that has some is
// refused, and one that has none says so. Tools ask this before they copy large objects.
import type { Answer } from '../answer.ts';
import { S3Error } from '../errors.ts';
import { versionIdParameter } from '../parameters.ts';
import type { OperationContext } from './operation-context.ts';

export async function getObjectTagging(context: OperationContext): Promise<Answer> {
  const { bucket, key, objects, query } = context;
  const { info } = await objects.head({ bucket, key }, { versionId: versionIdParameter(query) }, context.signal);
  if (info.tagCount !== undefined && info.tagCount > 0) {
    throw new S3Error('NotImplemented', 'Reading the tags of an object is not implemented.');
  }
  return {
    status: 200,
    headers: { 'x-amz-version-id': info.versionId },
    body: { xml: { root: 'Tagging', content: { TagSet: '' } } },
  };
}
