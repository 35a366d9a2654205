// Text in headers. Node gives header bytes as latin1 and takes them as latin1; S3 clients send and expect UTF-8.

const utf8 = new TextDecoder('utf-8', { fatal: true });
// biome-ignore lint/suspicious/noControlCharactersInRegex: what no header value may hold
const FORBIDDEN = /[\u0000-\u0008\u000a-\u001f\u007f]/;

/** Bytes that are no UTF-8 stay what latin1 makes of them. */
export function decodeHeader(value: string): string {
  const bytes = Buffer.from(value, 'latin1');
  try {
    return utf8.decode(bytes);
  } catch {
    return value;
  }
}

/** Undefined where the text cannot be a header's value. */
export function encodeHeader(text: string): string | undefined {
  return FORBIDDEN.test(text) ? undefined : Buffer.from(text, 'utf8').toString('latin1');
}

export function isHeaderName(name: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name);
}
