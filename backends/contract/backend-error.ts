// Why an origin did not do what it was asked.
import type { DeleteMarkerInfo } from './deleting.ts';
import type { ToldInfo } from './object.ts';

export type BackendErrorCode =
  | 'NoSuchBucket'
  | 'NoSuchKey'
  | 'NoSuchVersion'
  /** The version that was named says that there is no object. */
  | 'DeleteMarker'
  | 'NoSuchUpload'
  | 'NotModified'
  | 'PreconditionFailed'
  | 'ConditionalRequestConflict'
  | 'InvalidRange'
  | 'InvalidPart'
  | 'InvalidPartOrder'
  | 'InvalidPartNumber'
  | 'EntityTooSmall'
  | 'EntityTooLarge'
  | 'BadDigest'
  | 'KeyTooLong'
  | 'InvalidArgument'
  | 'InvalidBucketName'
  | 'BucketNotEmpty'
  | 'BucketAlreadyExists'
  | 'BucketAlreadyOwnedByYou'
  | 'InvalidObjectState'
  /** The origin refuses this object or bucket to the gateway's credentials. */
  | 'AccessDenied'
  /** The origin rejects the gateway's credentials or configuration altogether: the operator's trouble. */
  | 'Misconfigured'
  /** The origin cannot do what was asked. */
  | 'NotSupported'
  | 'SlowDown'
  | 'Timeout'
  | 'Unavailable'
  | 'OutOfSpace'
  | 'Internal';

export class BackendError extends Error {
  override readonly name = 'BackendError';
  readonly code: BackendErrorCode;
  /** NotModified and PreconditionFailed on reads: what the object is now, as far as it is known. */
  readonly info: ToldInfo | undefined;
  /** NoSuchKey and DeleteMarker: the delete marker that is there instead, where known. */
  readonly marker: DeleteMarkerInfo | undefined;
  /** The origin's own word for it, for the log. */
  readonly nativeCode: string | undefined;
  /** The operator's name for the origin it came from, for the log; told by whoever knows the name, once. */
  backend: string | undefined;

  constructor(
    code: BackendErrorCode,
    message: string,
    options: {
      cause?: unknown;
      info?: ToldInfo | undefined;
      marker?: DeleteMarkerInfo | undefined;
      nativeCode?: string | undefined;
    } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.info = options.info;
    this.marker = options.marker;
    this.nativeCode = options.nativeCode;
  }
}
