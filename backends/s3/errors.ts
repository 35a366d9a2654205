// What an S3 origin answers, as a BackendError. Trouble with the gateway's own credentials is the operator's, never
// the client's: 'Misconfigured'.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
import { BackendError, type BackendErrorCode } from '../backend.ts';
import { classifyNetworkError } from '../net/classify-network-error.ts';
import { hidingMarker, unchangedInfo } from './refusal-headers.ts';

const BY_CODE: Readonly<Record<string, BackendErrorCode>> = {
  NoSuchBucket: 'NoSuchBucket',
  NoSuchKey: 'NoSuchKey',
  NoSuchVersion: 'NoSuchVersion',
  NoSuchUpload: 'NoSuchUpload',
  NotModified: 'NotModified',
  PreconditionFailed: 'PreconditionFailed',
  ConditionalRequestConflict: 'ConditionalRequestConflict',
  OperationAborted: 'ConditionalRequestConflict',
  InvalidRange: 'InvalidRange',
  InvalidPart: 'InvalidPart',
  InvalidPartOrder: 'InvalidPartOrder',
  InvalidPartNumber: 'InvalidPartNumber',
  EntityTooSmall: 'EntityTooSmall',
  EntityTooLarge: 'EntityTooLarge',
  BadDigest: 'BadDigest',
  XAmzContentChecksumMismatch: 'BadDigest',
  XAmzContentSHA256Mismatch: 'BadDigest',
  KeyTooLongError: 'KeyTooLong',
  InvalidArgument: 'InvalidArgument',
  InvalidDigest: 'InvalidArgument',
  InvalidRequest: 'InvalidArgument',
  InvalidStorageClass: 'InvalidArgument',
  InvalidTag: 'InvalidArgument',
  InvalidURI: 'InvalidArgument',
  MalformedXML: 'InvalidArgument',
  MetadataTooLarge: 'InvalidArgument',
  InvalidBucketName: 'InvalidBucketName',
  BucketNotEmpty: 'BucketNotEmpty',
  BucketAlreadyExists: 'BucketAlreadyExists',
  BucketAlreadyOwnedByYou: 'BucketAlreadyOwnedByYou',
  InvalidObjectState: 'InvalidObjectState',
  AccessDenied: 'AccessDenied',
  AllAccessDisabled: 'AccessDenied',
  AuthorizationHeaderMalformed: 'Misconfigured',
  CredentialsProviderError: 'Misconfigured',
  ExpiredToken: 'Misconfigured',
  IllegalLocationConstraintException: 'Misconfigured',
  InvalidAccessKeyId: 'Misconfigured',
  InvalidSecurity: 'Misconfigured',
  InvalidToken: 'Misconfigured',
  NotSignedUp: 'Misconfigured',
  PermanentRedirect: 'Misconfigured',
  RequestTimeTooSkewed: 'Misconfigured',
  SignatureDoesNotMatch: 'Misconfigured',
  TemporaryRedirect: 'Misconfigured',
  TokenRefreshRequired: 'Misconfigured',
  MethodNotAllowed: 'NotSupported',
  MissingContentLength: 'NotSupported',
  NotImplemented: 'NotSupported',
  BandwidthLimitExceeded: 'SlowDown',
  RequestLimitExceeded: 'SlowDown',
  ServiceUnavailable: 'SlowDown',
  SlowDown: 'SlowDown',
  Throttling: 'SlowDown',
  ThrottlingException: 'SlowDown',
  TooManyRequests: 'SlowDown',
  RequestTimeout: 'Timeout',
  IncompleteBody: 'Unavailable',
  QuotaExceeded: 'OutOfSpace',
  XMinioStorageFull: 'OutOfSpace',
  InternalError: 'Internal',
};

/** For answers without a document: to HEAD, from proxies, from servers that know no codes. */
const BY_STATUS: Readonly<Record<number, BackendErrorCode>> = {
  301: 'Misconfigured',
  302: 'Misconfigured',
  304: 'NotModified',
  307: 'Misconfigured',
  308: 'Misconfigured',
  401: 'Misconfigured',
  400: 'InvalidArgument',
  403: 'AccessDenied',
  404: 'NoSuchKey',
  405: 'NotSupported',
  409: 'ConditionalRequestConflict',
  411: 'NotSupported',
  412: 'PreconditionFailed',
  413: 'EntityTooLarge',
  416: 'InvalidRange',
  429: 'SlowDown',
  500: 'Internal',
  501: 'NotSupported',
  502: 'Unavailable',
  503: 'SlowDown',
  504: 'Unavailable',
  507: 'OutOfSpace',
};

const SENTENCES: Partial<Record<BackendErrorCode, string>> = {
  Misconfigured: "The origin rejects the gateway's credentials or region",
  AccessDenied: "The origin refuses this to the gateway's credentials",
  NotSupported: 'The origin does not support this',
  SlowDown: 'The origin asks for fewer requests',
  NoSuchKey: 'The origin has no such object',
};

/** The origin's status, when the error is an answer of the origin. */
export function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined;
  const metadata = error.$metadata;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}

/** Answers to HEAD carry no code; the SDK then invents a name. */
export function hasDocument(error: Error): boolean {
  return error.name in BY_CODE;
}

export function fromS3(error: unknown): BackendError {
  if (error instanceof BackendError) return error;
  if (!(error instanceof Error)) return classifyNetworkError(error);
  const status = statusOf(error);
  if ('$responseBodyText' in error && status !== undefined && status < 500 && status !== 429) {
    return new BackendError('Unavailable', `Something that does not speak S3 answered with status ${status}.`, {
      cause: withoutRequest(error),
    });
  }
  const code = BY_CODE[error.name] ?? (status === undefined ? undefined : byStatus(status));
  if (code === undefined) return classifyNetworkError(withoutRequest(error));
  const said = error.message === '' || error.message === 'UnknownError' ? `status ${status}` : error.message;
  return new BackendError(code, `${SENTENCES[code] ?? 'The origin answered'}: ${error.name}, ${said}`, {
    cause: withoutRequest(error),
    nativeCode: error.name,
    marker: hidingMarker(error),
    info: code === 'NotModified' ? unchangedInfo(error) : undefined,
  });
}

/** The SDK's errors carry the request with its signature and session token; what may be logged does not. */
function withoutRequest(error: Error): Error {
  const copy: Error & { code?: unknown } = new Error(error.message);
  copy.name = error.name;
  if (error.stack !== undefined) copy.stack = error.stack;
  if (error.cause instanceof Error) copy.cause = withoutRequest(error.cause);
  if ('code' in error) copy.code = error.code;
  return copy;
}

/** One of a batch delete's errors, which are elements of a document rather than answers. */
export function fromCode(code: string, message: string): BackendError {
  return new BackendError(BY_CODE[code] ?? 'Internal', `The origin answered: ${code}, ${message}`, {
    nativeCode: code,
  });
}

function byStatus(status: number): BackendErrorCode {
  return BY_STATUS[status] ?? (status >= 500 ? 'Unavailable' : 'Internal');
}
