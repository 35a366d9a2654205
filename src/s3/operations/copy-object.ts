// CopyObject. https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
import type { CopyOptions, VersionRef } from '../../../backends/backend.ts';
import type { Answer } from '../answer.ts';
import { expectObjectAcl } from '../bucket-acls.ts';
import { checksumElements, parseChecksumAlgorithm } from '../checksum-elements.ts';
import { parseSourceConditions, parseWriteConditions, quoteEtag } from '../conditions.ts';
import { parseCopySource } from '../copy-source.ts';
import { encryptionHeaders, parseEncryption, parseSourceKey } from '../encryption.ts';
import { S3Error } from '../errors.ts';
import { parseObjectAttributes } from '../object-attributes.ts';
import { invalidArgument } from '../parameters.ts';
import type { OperationContext } from './operation-context.ts';

export async function copyObject(context: OperationContext): Promise<Answer> {
  const { bucket, key, objects } = context;
  const source = parseCopySource(context.headers['x-amz-copy-source']);
  await context.access.checkSource(source);
  const options = copyOptions(context, source);
  await expectObjectAcl(context.settings, bucket, options.acl, context.signal);
  const copied = await objects.copy(source, { bucket, key }, options, context.signal);
  return {
    status: 200,
    headers: {
      'x-amz-version-id': copied.versionId,
      'x-amz-copy-source-version-id': copied.sourceVersionId,
      ...encryptionHeaders(copied.encryption),
    },
    body: {
      xml: {
        root: 'CopyObjectResult',
        content: {
          LastModified: copied.lastModified.toISOString(),
          ETag: quoteEtag(copied.etag),
          ChecksumType: copied.checksum?.type,
          ...checksumElements(copied.checksum),
        },
      },
    },
  };
}

function copyOptions(context: OperationContext, source: VersionRef): CopyOptions {
  const { headers } = context;
  const capabilities = context.objects.capabilities(context.bucket);
  const given = parseObjectAttributes(headers, capabilities);
  const replaces = directive(headers, 'x-amz-metadata-directive') === 'REPLACE';
  const replacesTags = directive(headers, 'x-amz-tagging-directive') === 'REPLACE';
  const itself = source.bucket === context.bucket && source.key === context.key && source.versionId === undefined;
  const encryption = parseEncryption(headers, capabilities);
  const isEncryptedAnew = encryption.encryption !== undefined || encryption.customerKey !== undefined;
  if (itself && !replaces && given.storageClass === undefined && !isEncryptedAnew) {
    throw new S3Error(
      'InvalidRequest',
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  return {
    ...encryption,
    sourceCustomerKey: parseSourceKey(headers, context.objects.capabilities(source.bucket)),
    sourceConditions: parseSourceConditions(headers),
    conditions: parseWriteConditions(headers, capabilities),
    replace: replaces ? { headers: given.headers, metadata: given.metadata } : undefined,
    replaceTags: replacesTags ? (given.tags ?? {}) : undefined,
    storageClass: given.storageClass,
    acl: given.acl,
    checksumAlgorithm: parseChecksumAlgorithm(headers['x-amz-checksum-algorithm']),
  };
}

function directive(headers: OperationContext['headers'], name: string): 'COPY' | 'REPLACE' {
  const value = headers[name] ?? 'COPY';
  if (value === 'COPY' || value === 'REPLACE') return value;
  throw invalidArgument(name, value, `Unknown ${name.replace('x-amz-', '').replace('-', ' ')}.`);
}
