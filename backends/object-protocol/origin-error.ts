// From what an origin answers to a BackendError. The gateway's own trouble with its credentials is 'Misconfigured',
// so that it is never passed on as the client's.
import { BackendError, type BackendErrorCode, type ToldInfo } from '../backend.ts';
import type { Dialect } from './dialect.ts';

export interface Refusal {
  readonly status: number;
  /** The origin's code and sentence, where it gave any. */
  readonly code?: string | undefined;
  readonly message?: string | undefined;
  readonly requestId?: string | undefined;
  /** What it tells of the object all the same. */
  readonly info?: ToldInfo | undefined;
}

export function originError(dialect: Dialect, refusal: Refusal, subject: 'object' | 'bucket' | 'upload'): BackendError {
  const { status } = refusal;
  // Some servers miss an upload by the name of its key.
  const code = subject === 'upload' && refusal.code === 'NoSuchKey' ? 'NoSuchUpload' : refusal.code;
  const known = code === undefined ? undefined : (dialect.errors[code] ?? SHARED[code]);
  return new BackendError(known ?? byStatus(status, subject), sentence(dialect, refusal), {
    nativeCode: code ?? `HTTP ${status}`,
    info: refusal.info,
  });
}

const SHARED: Readonly<Record<string, BackendErrorCode>> = {
  NoSuchBucket: 'NoSuchBucket',
  NoSuchKey: 'NoSuchKey',
  NoSuchVersion: 'NoSuchVersion',
  NoSuchUpload: 'NoSuchUpload',
  PreconditionFailed: 'PreconditionFailed',
  InvalidRange: 'InvalidRange',
  InvalidPart: 'InvalidPart',
  InvalidPartOrder: 'InvalidPartOrder',
  InvalidPartNumber: 'InvalidPartNumber',
  EntityTooSmall: 'EntityTooSmall',
  EntityTooLarge: 'EntityTooLarge',
  BadDigest: 'BadDigest',
  InvalidDigest: 'BadDigest',
  KeyTooLong: 'KeyTooLong',
  KeyTooLongError: 'KeyTooLong',
  InvalidObjectName: 'InvalidArgument',
  InvalidArgument: 'InvalidArgument',
  InvalidURI: 'InvalidArgument',
  InvalidTag: 'InvalidArgument',
  InvalidRequest: 'InvalidArgument',
  MetadataTooLarge: 'InvalidArgument',
  InvalidBucketName: 'InvalidBucketName',
  BucketNotEmpty: 'BucketNotEmpty',
  BucketAlreadyExists: 'BucketAlreadyExists',
  BucketAlreadyOwnedByYou: 'BucketAlreadyOwnedByYou',
  InvalidObjectState: 'InvalidObjectState',
  AccessDenied: 'AccessDenied',
  InvalidAccessKeyId: 'Misconfigured',
  SignatureDoesNotMatch: 'Misconfigured',
  RequestTimeTooSkewed: 'Misconfigured',
  RequestExpired: 'Misconfigured',
  ExpiredToken: 'Misconfigured',
  InvalidToken: 'Misconfigured',
  InvalidSecurityToken: 'Misconfigured',
  AllAccessDisabled: 'Misconfigured',
  UserDisable: 'Misconfigured',
  InArrearOrInsufficientBalance: 'Misconfigured',
  NotSignedUp: 'Misconfigured',
  NotImplemented: 'NotSupported',
  MethodNotAllowed: 'NotSupported',
  SlowDown: 'SlowDown',
  ServiceUnavailable: 'SlowDown',
  RequestTimeout: 'Timeout',
};

function byStatus(status: number, subject: 'object' | 'bucket' | 'upload'): BackendErrorCode {
  if (status === 404)
    return subject === 'bucket' ? 'NoSuchBucket' : subject === 'upload' ? 'NoSuchUpload' : 'NoSuchKey';
  if (status === 401) return 'Misconfigured';
  return BY_STATUS[status] ?? (status >= 300 && status < 400 ? 'Misconfigured' : 'Internal');
}

const BY_STATUS: Readonly<Record<number, BackendErrorCode>> = {
  304: 'NotModified',
  403: 'AccessDenied',
  405: 'NotSupported',
  412: 'PreconditionFailed',
  416: 'InvalidRange',
  429: 'SlowDown',
  501: 'NotSupported',
  502: 'Unavailable',
  503: 'SlowDown',
  504: 'Timeout',
};

/** Redirects mean the wrong endpoint or region: none is followed. */
function sentence(dialect: Dialect, { status, code, message, requestId }: Refusal): string {
  const what =
    status >= 300 && status < 400 && status !== 304 ? ' It points elsewhere: check the endpoint and region.' : '';
  const why = message === undefined || message === '' ? '' : ` ${message}`;
  const trace = requestId === undefined ? '' : ` (request ${requestId})`;
  return `${dialect.service} answered ${status}${code === undefined ? '' : ` ${code}`}:${why || ' no reason given.'}${what}${trace}`;
}
