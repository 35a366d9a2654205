// Presigners move x-amz-* headers into the query; S3 reads them there as if they had been sent.
import type { IncomingHttpHeaders } from 'node:http';

/** Part of the signature itself. */
const AUTHENTICATION = new Set([
  'x-amz-algorithm',
  'x-amz-content-sha256',
  'x-amz-credential',
  'x-amz-date',
  'x-amz-expires',
  'x-amz-security-token',
  'x-amz-signature',
  'x-amz-signedheaders',
]);

/** A header that was sent wins. */
export function effectiveHeaders(
  sent: IncomingHttpHeaders,
  query: readonly (readonly [name: string, value: string])[],
): Readonly<Record<string, string | undefined>> {
  const headers: Record<string, string | undefined> = Object.create(null);
  for (const [parameter, value] of query) {
    const name = parameter.toLowerCase();
    // Headers hold bytes as latin1, the query holds text.
    if (name.startsWith('x-amz-') && !AUTHENTICATION.has(name)) {
      headers[name] ??= Buffer.from(value, 'utf8').toString('latin1');
    }
  }
  for (const [name, value] of Object.entries(sent)) {
    headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return headers;
}
