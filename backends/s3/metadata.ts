// User metadata is Unicode text here and ASCII headers at an S3 origin. What is not plain ASCII travels as RFC 2047
// encoded words, the form in which S3 itself gives such values back, so other clients of the bucket read the same.

/** What would not come back as it went: outside ASCII, trimmed by HTTP, dropped when empty, or already this form. */
const NEEDS_ENCODING = /[^\x20-\x7e]|^ | $|^$|=\?/;
const ENCODED_WORD = /=\?([\w-]+)\?([bq])\?([^?]*)\?=/gi;

export function encodeMetadata(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, encodeValue(value)]));
}

export function decodeMetadata(metadata: Readonly<Record<string, string>> | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata ?? {}).map(([name, value]) => [name.toLowerCase(), decode(value)]));
}

function encodeValue(value: string): string {
  return NEEDS_ENCODING.test(value) ? `=?UTF-8?B?${Buffer.from(value, 'utf8').toString('base64')}?=` : value;
}

/** Some origins give the bytes as they came; Node shows each as one character. */
function decode(value: string): string {
  if (!value.includes('=?')) return utf8OrAsIs(value);
  // White space between two encoded words only separates them (RFC 2047 §6.2).
  const joined = value.replace(/(\?=)\s+(=\?)/g, '$1$2');
  return joined.replace(ENCODED_WORD, (word, charset: string, encoding: string, text: string) => {
    const bytes = encoding.toLowerCase() === 'b' ? Buffer.from(text, 'base64') : fromQ(text);
    if (/^utf-?8$/i.test(charset)) return bytes.toString('utf8');
    return /^(iso-8859-1|us-ascii)$/i.test(charset) ? bytes.toString('latin1') : word;
  });
}

function fromQ(text: string): Buffer {
  const plain = text.replace(/_/g, ' ');
  const bytes = plain.replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1');
}

function utf8OrAsIs(value: string): string {
  const bytes = Buffer.from(value, 'latin1');
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? text : value;
}
