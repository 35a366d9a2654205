// Requests whose framing Node's parser lets through, and other servers may read in another way.
import type { IncomingMessage } from 'node:http';

/** Undefined: it reads in one way only. */
export function framingProblem({ httpVersion, headers, rawHeaders, url }: IncomingMessage): string | undefined {
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return `HTTP/${httpVersion} is not spoken here, HTTP/1.1 is.`;
  const hosts = countHosts(rawHeaders);
  if (hosts > 1) return 'A request has one Host header; this one has several.';
  if (hosts === 0 && httpVersion === '1.1') return 'The request has no Host header.';
  // RFC 9112 §3.2.2: a proxy in between goes by the target's host; the signature is over the header.
  const named = url?.startsWith('/') ? undefined : /^https?:\/\/([^/?]*)/i.exec(url ?? '')?.[1];
  if (named !== undefined && withoutPort(named) !== withoutPort(headers.host ?? '')) {
    return 'The request line names another host than the Host header.';
  }
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') return 'The only transfer coding known is chunked.';
  return undefined;
}

/** Names and values in turn. */
function countHosts(rawHeaders: readonly string[]): number {
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  return hosts;
}

function withoutPort(host: string): string {
  return host.replace(/:\d*$/, '').toLowerCase();
}
