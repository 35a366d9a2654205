// Who may read the admin port. With a token: whoever shows it. Without: requests from this machine that name it by a
// loopback name, so that no web page can read it through a browser by a name of its own (DNS rebinding), nor set anything
// going from a page of another site.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/** Undefined: allowed. Otherwise the status, and a sentence for the operator. */
export function refusalOf(
  request: Pick<IncomingMessage, 'headers' | 'method'> & {
    readonly socket: { readonly remoteAddress?: string | undefined };
  },
  token: string | undefined,
): { readonly status: 401 | 403; readonly message: string } | undefined {
  if (token !== undefined) {
    const shown = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
    if (shown !== undefined && isSame(shown, token)) return undefined;
    return { status: 401, message: 'Send the admin token: Authorization: Bearer <token>.' };
  }
  if (!isLoopback(request.socket.remoteAddress ?? '')) {
    return { status: 403, message: 'Without an admin token only this machine may ask; set admin.token.' };
  }
  if (!isLoopbackName(request.headers.host ?? '')) {
    return { status: 403, message: 'Without an admin token, ask for 127.0.0.1 or localhost; set admin.token.' };
  }
  const { origin, host } = request.headers;
  if (!isSafe(request.method) && origin !== undefined && hostOf(origin) !== host) {
    return { status: 403, message: 'Without an admin token no page of another site may ask for this.' };
  }
  return undefined;
}

function isSafe(method: string | undefined): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** 'null' and the like have none. */
function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

function isLoopback(address: string): boolean {
  const plain = address.replace(/^::ffff:/i, '');
  return plain === '::1' || (isIP(plain) === 4 && plain.startsWith('127.'));
}

function isLoopbackName(host: string): boolean {
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return name.toLowerCase() === 'localhost' || isLoopback(name);
}
