// From what a socket, a name server or TLS reports to a BackendError with a sentence for the operator. Answers of the
// origin itself (statuses, error documents) are classified by each backend.
import { BackendError, type BackendErrorCode } from '../backend.ts';

/** Of the codes below only 'Timeout' may mean that the origin is at work on the request. */
export function classifyNetworkError(error: unknown): BackendError {
  if (error instanceof BackendError) return error;
  const found = findCode(error);
  const row = found === undefined ? undefined : (ROWS[found] ?? (isTlsCode(found) ? UNTRUSTED : undefined));
  if (row === undefined) {
    return new BackendError('Unavailable', `The request to the origin failed: ${messageOf(error)}`, {
      cause: error,
      nativeCode: found,
    });
  }
  return new BackendError(row[0], `${row[1]} (${messageOf(error)})`, { cause: error, nativeCode: found });
}

type Row = readonly [BackendErrorCode, string];

const REFUSED: Row = ['Unavailable', 'The origin refused the connection: check its address and that it runs.'];
const CLOSED: Row = ['Unavailable', 'The origin closed the connection before the request was over.'];
const UNKNOWN_NAME: Row = ['Unavailable', "The origin's host name does not resolve: check the endpoint and DNS."];
const NO_NAME_SERVER: Row = ['Unavailable', "No name server answered for the origin's host name: check DNS."];
const NO_ROUTE: Row = ['Unavailable', 'There is no route to the origin: check its address and the network.'];
const NO_CONNECTION: Row = ['Unavailable', 'The origin did not accept a connection in time.'];
const SILENT: Row = ['Timeout', 'The origin went silent in the middle of a request.'];
const NOT_HTTP: Row = ['Unavailable', "The origin's answer is not HTTP: check the endpoint's scheme and port."];
const NOT_TLS: Row = ['Unavailable', 'The TLS handshake with the origin failed: check its scheme, port and versions.'];
const UNTRUSTED: Row = [
  'Unavailable',
  "The origin's TLS certificate is not trusted: check the endpoint's host name and the certificate authority.",
];

const ROWS: Readonly<Record<string, Row>> = {
  ECONNREFUSED: REFUSED,
  ECONNRESET: CLOSED,
  ECONNABORTED: CLOSED,
  EPIPE: CLOSED,
  ERR_STREAM_PREMATURE_CLOSE: CLOSED,
  UND_ERR_SOCKET: CLOSED,
  ENOTFOUND: UNKNOWN_NAME,
  EAI_NODATA: UNKNOWN_NAME,
  EAI_NONAME: UNKNOWN_NAME,
  EAI_AGAIN: NO_NAME_SERVER,
  EAI_FAIL: NO_NAME_SERVER,
  EHOSTUNREACH: NO_ROUTE,
  ENETUNREACH: NO_ROUTE,
  EADDRNOTAVAIL: NO_ROUTE,
  CONNECT_TIMEOUT: NO_CONNECTION,
  ETIMEDOUT: NO_CONNECTION,
  UND_ERR_CONNECT_TIMEOUT: NO_CONNECTION,
  IDLE_TIMEOUT: SILENT,
  ESOCKETTIMEDOUT: SILENT,
  UND_ERR_HEADERS_TIMEOUT: SILENT,
  UND_ERR_BODY_TIMEOUT: SILENT,
  EPROTO: NOT_TLS,
  NOT_HTTP,
};

/** Node names TLS failures by OpenSSL's X.509 codes (node:tls, 'X509 certificate error codes'). */
const X509_CODES: ReadonlySet<string> = new Set([
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'HOSTNAME_MISMATCH',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

function isTlsCode(code: string): boolean {
  return code.startsWith('CERT_') || X509_CODES.has(code);
}

/** The first code in the chain of causes that we know; clients wrap the socket's error in their own. */
function findCode(error: unknown): string | undefined {
  let unknown: string | undefined;
  let current: unknown = error;
  for (let depth = 0; depth < 8 && current instanceof Error; depth += 1) {
    const code = 'code' in current && typeof current.code === 'string' ? current.code : undefined;
    if (code !== undefined) {
      const known = family(code);
      if (known in ROWS || isTlsCode(known)) return known;
      unknown ??= code;
    }
    current = current.cause;
  }
  return unknown;
}

function family(code: string): string {
  if (code.startsWith('HPE_') || code.startsWith('UND_ERR_RES')) return 'NOT_HTTP';
  if (code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_HANDSHAKE')) return 'EPROTO';
  return code;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
