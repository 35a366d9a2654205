// Copies within the origin: of a whole object by one request, or part by part where one request does not take it.
import {
  BackendError,
  type Copied,
  type CopyOptions,
  type ObjectAttributes,
  type ObjectInfo,
  type ObjectRef,
  type ReadConditions,
  type VersionRef,
} from '../backend.ts';
import { attributeHeaders, readEtag, storageClassHeader, tagHeader } from './object-headers.ts';
import { oneHeader } from './one-header.ts';
import type { OriginClient } from './origin-client.ts';
import { headObject } from './reads.ts';
import type { WriteGuard } from './write-guard.ts';
import { names } from './writes.ts';

/** For objects that one request does not copy; uploads.ts has it. */
export type CopyInParts = (
  source: VersionRef,
  info: ObjectInfo,
  target: ObjectRef,
  attributes: ObjectAttributes,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
) => Promise<Copied>;

export async function copyObject(
  client: OriginClient,
  deps: { guard: WriteGuard; copyInParts: CopyInParts },
  source: VersionRef,
  target: ObjectRef,
  options: CopyOptions,
  signal: AbortSignal,
): Promise<Copied> {
  const copy = async (conditions: Readonly<Record<string, string>>): Promise<Copied> => {
    const info = await sourceInfo(client, source, options.sourceConditions, signal);
    if (info.sizeBytes > client.dialect.copyMaxBytes) {
      const attributes = { ...(options.replace ?? info), tags: options.replaceTags };
      return deps.copyInParts(source, info, target, attributes, conditions, signal);
    }
    const headers = { ...copyHeaders(client, options), ...sourceHeaders(client, source, info), ...conditions };
    const request = { method: 'PUT', ...names(target), headers } as const;
    const answer = await client.document(request, 'CopyObjectResult', signal);
    const prefix = client.dialect.headerPrefix;
    return {
      etag: readEtag(client.dialect, answer.root.required('ETag')),
      lastModified: answer.root.date('LastModified'),
      sizeBytes: info.sizeBytes,
      versionId: oneHeader(answer.headers, `${prefix}version-id`),
      sourceVersionId: oneHeader(answer.headers, `${prefix}copy-source-version-id`) ?? source.versionId,
    };
  };
  return deps.guard.run(target, options.conditions, copy, signal);
}

/** A source that does not satisfy its conditions is PreconditionFailed, whichever condition it was. */
export async function sourceInfo(
  client: OriginClient,
  source: VersionRef,
  conditions: ReadConditions | undefined,
  signal: AbortSignal,
): Promise<ObjectInfo> {
  try {
    return (await headObject(client, source, { versionId: source.versionId, conditions }, signal)).info;
  } catch (error) {
    if (!(error instanceof BackendError) || error.code !== 'NotModified') throw error;
    throw new BackendError('PreconditionFailed', 'The source does not satisfy its conditions.', { info: error.info });
  }
}

/** Names the source and pins it to what was just seen of it. */
export function sourceHeaders(client: OriginClient, source: VersionRef, info: ObjectInfo): Record<string, string> {
  const prefix = client.dialect.headerPrefix;
  const key = source.key.split('/').map(encodeURIComponent).join('/');
  const version = source.versionId === undefined ? '' : `?versionId=${encodeURIComponent(source.versionId)}`;
  return {
    [`${prefix}copy-source`]: `/${source.bucket}/${key}${version}`,
    [`${prefix}copy-source-if-match`]: `"${client.dialect.etag.native(info.etag)}"`,
  };
}

function copyHeaders({ dialect }: OriginClient, options: CopyOptions): Record<string, string> {
  const prefix = dialect.headerPrefix;
  const replaced =
    options.replace === undefined ? {} : attributeHeaders(dialect, { ...options.replace, tags: undefined });
  return {
    ...replaced,
    ...storageClassHeader(dialect, options.storageClass ?? options.replace?.storageClass),
    [`${prefix}metadata-directive`]: options.replace === undefined ? 'COPY' : 'REPLACE',
    ...(options.replaceTags === undefined
      ? {}
      : { [`${prefix}tagging-directive`]: 'Replace', ...tagHeader(dialect, options.replaceTags) }),
  };
}
