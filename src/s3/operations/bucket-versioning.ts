// GetBucketVersioning and PutBucketVersioning.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html
import type { Answer } from '../answer.ts';
import { S3Error } from '../errors.ts';
import type { OperationContext } from './operation-context.ts';

export async function getBucketVersioning({ bucket, objects, signal }: OperationContext): Promise<Answer> {
  // Neither Enabled nor Suspended: versioning was never switched on.
  const Status = await objects.getVersioning(bucket, signal);
  return { status: 200, body: { xml: { root: 'VersioningConfiguration', content: { Status } } } };
}

export async function putBucketVersioning({ bucket, body, objects, signal }: OperationContext): Promise<Answer> {
  const configuration = await body.readXml('VersioningConfiguration');
  const status = configuration.first('Status')?.text.trim();
  if (configuration.first('MfaDelete')?.text.trim() === 'Enabled') {
    throw new S3Error('NotImplemented', 'Deleting with a second factor (MfaDelete) is not implemented.');
  }
  if (status === undefined) throw new S3Error('IllegalVersioningConfigurationException');
  if (status !== 'Enabled' && status !== 'Suspended') throw new S3Error('MalformedXML');
  await objects.setVersioning(bucket, status, signal);
  return { status: 200 };
}
