// What an operation answers, and how errors look on the wire.
import { randomBytes } from 'node:crypto';
import { BackendError } from '../../backends/backend.ts';
import type { PumpedBody } from './body-pump.ts';
import { quoteEtag } from './conditions.ts';
import { FROM_BACKEND, S3Error } from './errors.ts';
import { encodeHeader } from './header-text.ts';
import { renderXml, XML_DECLARATION, type XmlDocument } from './xml.ts';

export type Headers = Readonly<Record<string, string | undefined>>;

export interface Answer {
  readonly status: number;
  readonly headers?: Headers | undefined;
  readonly body?: AnswerBody | undefined;
}

type AnswerBody =
  | { readonly xml: XmlDocument }
  | { readonly json: string }
  /** Exactly `sizeBytes` bytes; ended by whoever sends the answer. */
  | PumpedBody;

const HOST_ID = randomBytes(24).toString('base64');

/** On every answer. */
export function commonHeaders(requestId: string): Record<string, string> {
  return { 'x-amz-request-id': requestId, 'x-amz-id-2': HOST_ID, Server: 'dfstore' };
}

export interface ErrorContext {
  readonly requestId: string;
  /** The path as it was sent. */
  readonly resource: string;
  readonly bucket?: string | undefined;
  readonly key?: string | undefined;
}

export function renderError(
  error: S3Error,
  context: ErrorContext,
): { status: number; headers: Record<string, string>; body: string } {
  const headers = { ...commonHeaders(context.requestId), ...error.headers };
  // RFC 9110 §15.4.5: a 304 has no body, and nothing that describes one.
  if (error.code === 'NotModified') return { status: 304, headers, body: '' };
  const body = XML_DECLARATION + renderXml(errorDocument(error, context));
  return {
    status: error.status,
    headers: { ...headers, 'Content-Type': 'application/xml', 'Content-Length': String(Buffer.byteLength(body)) },
    body,
  };
}

export function errorDocument(error: S3Error, context: ErrorContext): XmlDocument {
  return {
    root: 'Error',
    namespace: '',
    content: {
      Code: error.code,
      Message: error.message,
      ...(error.code === 'NoSuchBucket' ? { BucketName: context.bucket } : {}),
      ...(error.code === 'NoSuchKey' ? { Key: context.key } : {}),
      ...error.details,
      Resource: error.details.Resource ?? context.resource,
      RequestId: context.requestId,
      HostId: HOST_ID,
    },
  };
}

/** What the client is told of whatever went wrong. Causes stay with the error, for the log. */
export function toS3Error(error: unknown): S3Error {
  if (error instanceof S3Error) return error;
  if (!(error instanceof BackendError)) return new S3Error('InternalError', undefined, { cause: error });
  const code = FROM_BACKEND[error.code];
  // An origin's words for its own trouble are the operator's business.
  const message = CLIENTS_BUSINESS.has(error.code) ? error.message : undefined;
  return new S3Error(code, message, { cause: error, headers: headersOf(error) });
}

const CLIENTS_BUSINESS: ReadonlySet<string> = new Set([
  'InvalidArgument',
  'EntityTooSmall',
  'BadDigest',
  'NotSupported',
]);

function headersOf(error: BackendError): Record<string, string> {
  if (error.code === 'SlowDown') return { 'Retry-After': '1' };
  const { info, marker } = error;
  if (marker !== undefined) {
    const described = { 'x-amz-delete-marker': 'true', 'x-amz-version-id': marker.versionId };
    // RFC 9110 §15.5.6: what may be done instead.
    return error.code === 'DeleteMarker' ? { ...described, Allow: 'DELETE' } : described;
  }
  if (error.code !== 'NotModified' || info === undefined) return {};
  const cacheControl = encodeHeader(info.headers?.cacheControl ?? '');
  return {
    ETag: quoteEtag(info.etag),
    ...(info.lastModified === undefined ? {} : { 'Last-Modified': info.lastModified.toUTCString() }),
    ...(cacheControl ? { 'Cache-Control': cacheControl } : {}),
    ...(info.versionId === undefined ? {} : { 'x-amz-version-id': info.versionId }),
  };
}
