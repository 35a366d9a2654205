// PutObject. https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
import type { Capabilities, UploadBody } from '../../../backends/backend.ts';
import type { Answer } from '../answer.ts';
import { expectObjectAcl } from '../bucket-acls.ts';
import { checksumHeaders } from '../checksum-elements.ts';
import { parseWriteConditions, quoteEtag } from '../conditions.ts';
import { encryptionHeaders, parseEncryption } from '../encryption.ts';
import { S3Error } from '../errors.ts';
import { parseObjectAttributes } from '../object-attributes.ts';
import type { OperationContext } from './operation-context.ts';

/** S3's own limit for an object in one piece. */
const PUT_MAX_BYTES = 5 * 1024 ** 3;

export async function putObject(context: OperationContext): Promise<Answer> {
  const { bucket, key, objects, headers } = context;
  const capabilities = objects.capabilities(bucket);
  const options = {
    ...parseObjectAttributes(headers, capabilities),
    ...parseEncryption(headers, capabilities),
    conditions: parseWriteConditions(headers, capabilities),
  };
  await expectObjectAcl(context.settings, bucket, options.acl, context.signal);
  const body = openBody(context, capabilities);
  const written = await objects.put({ bucket, key }, body, options, context.signal);
  return {
    status: 200,
    headers: {
      ETag: quoteEtag(written.etag),
      'x-amz-version-id': written.versionId,
      ...encryptionHeaders(written.encryption),
      ...checksumHeaders(written.checksum ?? body.digests().checksum),
    },
  };
}

/** Throws NotImplemented before the client is told to send, where nothing can be written. */
export function openBody(context: Pick<OperationContext, 'body'>, capabilities: Capabilities): UploadBody {
  if (!capabilities.writable) throw new S3Error('NotImplemented', "This bucket's backend can only be read.");
  return context.body.open({
    wantsMd5: capabilities.wantsMd5,
    maxBytes: Math.min(PUT_MAX_BYTES, capabilities.putMaxBytes),
  });
}
