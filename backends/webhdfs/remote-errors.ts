// From the exception a namenode or datanode answers to the error it is.
import { BackendError, type BackendErrorCode } from '../backend.ts';
import type { HttpAnswer } from '../http/http-client.ts';
import { statusError } from '../http/status-errors.ts';
import { readJson, remoteExceptionAnswer } from './protocol.ts';

const CODES: Readonly<Record<string, BackendErrorCode>> = {
  FileNotFoundException: 'NoSuchKey',
  ParentNotDirectoryException: 'NoSuchKey',
  UnresolvedPathException: 'NoSuchKey',
  AccessControlException: 'AccessDenied',
  SecurityException: 'Misconfigured',
  AuthenticationException: 'Misconfigured',
  AuthorizationException: 'Misconfigured',
  InvalidToken: 'Misconfigured',
  StandbyException: 'Unavailable',
  RetriableException: 'SlowDown',
  SafeModeException: 'SlowDown',
  ServerTooBusyException: 'SlowDown',
  BlockMissingException: 'Unavailable',
  ConnectException: 'Unavailable',
  IllegalArgumentException: 'InvalidArgument',
  InvalidPathException: 'InvalidArgument',
  UnsupportedOperationException: 'NotSupported',
};

const NEEDS_KERBEROS =
  'The namenode asks for credentials that the gateway does not have: set user where it trusts names, or delegationToken.';

/** Consumes the answer. */
export async function remoteError(answer: HttpAnswer, signal: AbortSignal): Promise<BackendError> {
  const parsed = remoteExceptionAnswer.safeParse(await readJson(answer, signal));
  if (!parsed.success) {
    if (answer.status !== 401) return statusError(answer.status, true);
    return new BackendError('Misconfigured', NEEDS_KERBEROS, { nativeCode: '401' });
  }
  const { exception, message } = parsed.data.RemoteException;
  return new BackendError(codeOf(exception, message ?? ''), `HDFS answered ${exception}: ${message ?? ''}`, {
    nativeCode: exception,
  });
}

/** Whether another namenode may do better. */
export function isForAnotherNamenode(error: unknown): boolean {
  if (!(error instanceof BackendError)) return false;
  return error.code === 'Unavailable' || error.code === 'Timeout' || error.nativeCode === 'RetriableException';
}

function codeOf(exception: string, message: string): BackendErrorCode {
  // What is beneath a file is refused to everybody: nothing is there.
  if (exception === 'AccessControlException' && /is not a directory/.test(message)) return 'NoSuchKey';
  if (exception === 'IOException' && /out of the range/.test(message)) return 'InvalidRange';
  return CODES[exception] ?? 'Internal';
}
