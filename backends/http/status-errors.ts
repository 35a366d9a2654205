// From the status a file server answers to the error it is.
import { BackendError, type BackendErrorCode, type ToldInfo } from '../backend.ts';

const CODES: Readonly<Record<number, readonly [BackendErrorCode, string]>> = {
  304: ['NotModified', 'The object has not changed.'],
  400: ['InvalidArgument', 'The origin does not take this name.'],
  403: ['AccessDenied', 'The origin refuses this object to the gateway.'],
  404: ['NoSuchKey', 'The origin has no such object.'],
  405: ['NotSupported', 'The origin does not let this object be read.'],
  407: ['Misconfigured', 'A proxy before the origin asks for credentials.'],
  408: ['Timeout', 'The origin gave up waiting for the request.'],
  410: ['NoSuchKey', 'The origin has this object no more.'],
  412: ['PreconditionFailed', 'The object does not satisfy the conditions.'],
  414: ['KeyTooLong', 'The origin does not take a name of this length.'],
  429: ['SlowDown', 'The origin asks for fewer requests.'],
  451: ['AccessDenied', 'The origin withholds this object for legal reasons.'],
  502: ['Unavailable', 'The origin is behind a gateway that cannot reach it.'],
  503: ['SlowDown', 'The origin is overloaded or down for maintenance.'],
  504: ['Unavailable', 'The origin is behind a gateway that got no answer from it.'],
};

/** `authorised`: credentials were sent, so that a 401 says they are wrong. */
export function statusError(status: number, authorised: boolean, info?: ToldInfo): BackendError {
  const [code, message] = status === 401 ? unauthorised(authorised) : (CODES[status] ?? unexpected(status));
  return new BackendError(code, `${message} (HTTP ${status})`, { nativeCode: String(status), info });
}

function unauthorised(authorised: boolean): readonly [BackendErrorCode, string] {
  return authorised
    ? ['Misconfigured', "The origin rejects the gateway's credentials: check username, password and headers."]
    : ['AccessDenied', 'The origin asks for credentials for this object, and none are configured.'];
}

function unexpected(status: number): readonly [BackendErrorCode, string] {
  return ['Internal', status >= 500 ? 'The origin failed.' : 'The origin answered something unexpected.'];
}
