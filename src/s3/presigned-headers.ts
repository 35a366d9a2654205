// Presigners move x-amz-* headers into the query; S3 reads them there as if they had been sent.
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

type Headers = Readonly<Record<string, string | undefined>>;

/** A header that was sent wins. */
export function effectiveHeaders(sent: Headers, query: readonly (readonly [name: string, value: string])[]): Headers {
  if (query.length === 0) return sent;
  const headers: Record<string, string | undefined> = {};
  for (const [parameter, value] of query) {
    const name = parameter.toLowerCase();
    // Headers hold bytes as latin1, the query holds text.
    if (name.startsWith('x-amz-') && !AUTHENTICATION.has(name)) {
      headers[name] ??= Buffer.from(value, 'utf8').toString('latin1');
    }
  }
  return { ...headers, ...sent };
}
