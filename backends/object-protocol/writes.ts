// PUT and DELETE of objects.
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import {
  BackendError,
  type Deleted,
  type DeleteOutcome,
  type DeleteTarget,
  type ObjectRef,
  type PutOptions,
  type UploadBody,
  type Written,
} from '../backend.ts';
import { createCrc64 } from './crc64.ts';
import { attributeHeaders, readEtag } from './object-headers.ts';
import { oneHeader } from './one-header.ts';
import type { OriginClient } from './origin-client.ts';
import { originError } from './origin-error.ts';
import type { SizedBody, WireRequest } from './wire.ts';
import type { WriteGuard } from './write-guard.ts';
import { escapeXml, survivesXml, type XmlElement } from './xml.ts';

export async function putObject(
  client: OriginClient,
  guard: WriteGuard,
  ref: ObjectRef,
  body: UploadBody,
  options: PutOptions,
  signal: AbortSignal,
): Promise<Written> {
  const attributes = attributeHeaders(client.dialect, options);
  const write = async (conditions: Readonly<Record<string, string>>): Promise<Written> => {
    const headers = { ...attributes, ...conditions };
    const sent = await sendBody(client, { method: 'PUT', ...names(ref), headers }, body, signal);
    if (sent.intact) return written(client, sent.headers, body.sizeBytes);
    await withdraw(client, ref, sent.headers, signal);
    throw damaged(client);
  };
  return guard.run(ref, options.conditions, write, signal);
}

/** `intact` is false when the origin's own checksum says that it stored other bytes than were sent. */
export async function sendBody(
  client: OriginClient,
  request: WireRequest,
  body: UploadBody,
  signal: AbortSignal,
): Promise<{ headers: IncomingHttpHeaders; intact: boolean }> {
  const crc = client.dialect.tellsCrc64 ? await createCrc64() : undefined;
  const { md5 } = body.declared;
  const headers = {
    ...request.headers,
    'Content-Length': String(body.sizeBytes),
    ...(md5 === undefined ? {} : { 'Content-MD5': md5.toString('base64') }),
  };
  const answer = await client.call(
    { ...request, headers, body: { sizeBytes: body.sizeBytes, stream: body.stream, tap: crc?.update } },
    signal,
  );
  const stored = oneHeader(answer, `${client.dialect.headerPrefix}hash-crc64ecma`);
  return { headers: answer, intact: stored === undefined || crc === undefined || stored === crc.digest() };
}

export function damaged(client: OriginClient): BackendError {
  return new BackendError(
    'Internal',
    `${client.dialect.service} stored other bytes than were sent; they are withdrawn.`,
  );
}

/** Only what was just stored: a version by its id, else the object if it is still the one with this etag. */
async function withdraw(
  client: OriginClient,
  ref: ObjectRef,
  headers: IncomingHttpHeaders,
  signal: AbortSignal,
): Promise<void> {
  const versionId = oneHeader(headers, `${client.dialect.headerPrefix}version-id`);
  if (versionId === undefined) {
    const current = await client.call({ method: 'HEAD', ...names(ref) }, signal);
    if (current.etag !== headers.etag) return;
  }
  await deleteObject(client, ref, { versionId }, signal);
}

export function written(client: OriginClient, headers: IncomingHttpHeaders, sizeBytes: number): Written {
  return {
    etag: readEtag(client.dialect, oneHeader(headers, 'etag') ?? ''),
    sizeBytes,
    versionId: oneHeader(headers, `${client.dialect.headerPrefix}version-id`),
  };
}

export async function deleteObject(
  client: OriginClient,
  ref: ObjectRef,
  options: { versionId?: string | undefined },
  signal: AbortSignal,
): Promise<Deleted> {
  const query: Record<string, string> = options.versionId === undefined ? {} : { versionId: options.versionId };
  try {
    const headers = await client.call({ method: 'DELETE', ...names(ref), query }, signal);
    return {
      versionId: oneHeader(headers, `${client.dialect.headerPrefix}version-id`),
      deleteMarker: oneHeader(headers, `${client.dialect.headerPrefix}delete-marker`) === 'true',
    };
  } catch (error) {
    if (error instanceof BackendError && error.code === 'NoSuchKey') return {};
    if (error instanceof BackendError && error.code === 'NoSuchVersion') return { versionId: options.versionId };
    throw error;
  }
}

/** Keys that XML cannot carry go one by one. */
export async function deleteObjects(
  client: OriginClient,
  bucket: string,
  targets: readonly DeleteTarget[],
  signal: AbortSignal,
): Promise<readonly DeleteOutcome[]> {
  const outcomes = new Map<DeleteTarget, DeleteOutcome>();
  const batch = targets.filter(({ key }) => isPlain(client, key));
  for (const target of targets) {
    if (!isPlain(client, target.key)) outcomes.set(target, await deleteAlone(client, bucket, target, signal));
  }
  if (batch.length > 0) {
    const answer = await requestDeletion(client, bucket, batch, signal);
    for (const target of batch) outcomes.set(target, outcomeOf(client, target, answer));
  }
  return targets.map((target) => outcomes.get(target) ?? { ...target, deleted: {} });
}

function isPlain({ dialect }: OriginClient, key: string): boolean {
  const fits = key !== '' && Buffer.byteLength(key) <= dialect.capabilities.keyMaxBytes;
  return fits && survivesXml(key) && dialect.refusedKey?.test(key) !== true;
}

async function deleteAlone(
  client: OriginClient,
  bucket: string,
  target: DeleteTarget,
  signal: AbortSignal,
): Promise<DeleteOutcome> {
  try {
    return { ...target, deleted: await deleteObject(client, { bucket, key: target.key }, target, signal) };
  } catch (error) {
    if (error instanceof BackendError && isAboutTheKey(error)) return { ...target, error };
    throw error;
  }
}

function isAboutTheKey({ code }: BackendError): boolean {
  return code === 'InvalidArgument' || code === 'KeyTooLong' || code === 'AccessDenied' || code === 'NoSuchVersion';
}

async function requestDeletion(
  client: OriginClient,
  bucket: string,
  targets: readonly DeleteTarget[],
  signal: AbortSignal,
): Promise<XmlElement> {
  const objects = targets.map(({ key, versionId }) => {
    const version = versionId === undefined ? '' : `<VersionId>${escapeXml(versionId)}</VersionId>`;
    return `<Object><Key>${escapeXml(key)}</Key>${version}</Object>`;
  });
  const document = `<Delete><Quiet>false</Quiet>${objects.join('')}</Delete>`;
  const request: WireRequest = { method: 'POST', bucket, query: { delete: '' }, ...xmlBody(document) };
  return (await client.document(request, 'DeleteResult', signal)).root;
}

function outcomeOf(client: OriginClient, target: DeleteTarget, answer: XmlElement): DeleteOutcome {
  const isTarget = (element: XmlElement) =>
    element.text('Key') === target.key &&
    (target.versionId === undefined || (element.text('VersionId') ?? target.versionId) === target.versionId);
  const failure = answer.all('Error').find(isTarget);
  if (failure !== undefined) {
    const refusal = { status: 200, code: failure.text('Code'), message: failure.text('Message') };
    if (refusal.code !== 'NoSuchKey' && refusal.code !== 'NoSuchVersion')
      return { ...target, error: originError(client.dialect, refusal, 'object') };
  }
  const deleted = answer.all('Deleted').find(isTarget);
  return {
    ...target,
    deleted: {
      versionId: deleted?.text('DeleteMarkerVersionId') ?? deleted?.text('VersionId'),
      deleteMarker: deleted?.isTrue('DeleteMarker') ?? false,
    },
  };
}

export function xmlBody(document: string): { headers: Record<string, string>; body: SizedBody } {
  const bytes = Buffer.from(document, 'utf8');
  return {
    headers: {
      'Content-Type': 'application/xml',
      'Content-Length': String(bytes.length),
      'Content-MD5': createHash('md5').update(bytes).digest('base64'),
    },
    body: { sizeBytes: bytes.length, stream: Readable.from([bytes], { objectMode: false }) },
  };
}

export function names(ref: ObjectRef): { bucket: string; key: string } {
  return { bucket: ref.bucket, key: ref.key };
}
