// Conditional headers as the contract has them. Deciding them is the backend's part (backends/conditions.ts).
import type { Capabilities, ReadConditions, WriteConditions } from '../../backends/backend.ts';
import { S3Error } from './errors.ts';
import type { S3Request } from './request.ts';

type Headers = S3Request['headers'];

/** `prefix` is 'x-amz-copy-source-' for the conditions on a copy's source. */
export function parseReadConditions(headers: Headers, prefix = ''): ReadConditions | undefined {
  const conditions: ReadConditions = {
    // A weak validator never satisfies If-Match; an empty list is satisfied by nothing.
    ifMatch: parseEtags(headers[`${prefix}if-match`])
      ?.filter((etag) => !etag.weak)
      .map((etag) => etag.value),
    ifNoneMatch: parseEtags(headers[`${prefix}if-none-match`])?.map((etag) => etag.value),
    ifModifiedSince: parseHttpDate(headers[`${prefix}if-modified-since`]),
    ifUnmodifiedSince: parseHttpDate(headers[`${prefix}if-unmodified-since`]),
  };
  return Object.values(conditions).every((condition) => condition === undefined) ? undefined : conditions;
}

/** Conditions on what a write replaces. An origin that cannot keep one must not be asked to: 501, never a silent drop. */
export function parseWriteConditions(headers: Headers, capabilities: Capabilities): WriteConditions | undefined {
  for (const name of ['if-modified-since', 'if-unmodified-since']) {
    if (headers[name] !== undefined) throw notImplemented(name);
  }
  const ifMatch = singleEtag(headers, 'if-match');
  const ifNoneMatch = singleEtag(headers, 'if-none-match');
  if (ifMatch !== undefined && capabilities.putIfMatch === 'none') throw notImplemented('if-match');
  if (ifNoneMatch !== undefined && capabilities.putIfAbsent === 'none') throw notImplemented('if-none-match');
  return ifMatch === undefined && ifNoneMatch === undefined ? undefined : { ifMatch, ifNoneMatch };
}

/** For operations whose contract knows no conditions. */
export function refuseConditions(headers: Headers): void {
  for (const name of CONDITIONAL) {
    if (headers[name] !== undefined) throw notImplemented(name);
  }
}

const CONDITIONAL = [
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'x-amz-if-match-last-modified-time',
  'x-amz-if-match-size',
];

export function unquoteEtag(text: string): string {
  return text.trim().replace(/^"(.*)"$/, '$1');
}

export function quoteEtag(etag: string): string {
  return `"${etag}"`;
}

/** Undefined where the header is absent or no date of RFC 9110 §5.6.7, which then is ignored. */
export function parseHttpDate(header: string | undefined): Date | undefined {
  if (header === undefined || !/^[A-Za-z]{3,9},? .*\d{2}:\d{2}:\d{2}/.test(header)) return undefined;
  const time = Date.parse(/GMT|UTC|[+-]\d{4}$/.test(header) ? header : `${header} GMT`);
  return Number.isNaN(time) ? undefined : new Date(time);
}

interface Etag {
  readonly value: string;
  readonly weak: boolean;
}

/** A list of validators; S3 also takes them unquoted. */
function parseEtags(header: string | undefined): Etag[] | undefined {
  if (header === undefined) return undefined;
  return [...header.matchAll(/(W\/)?"([^"]*)"|([^\s",]+)/g)].map(([, weak, quoted, bare]) => ({
    value: quoted ?? bare ?? '',
    weak: weak !== undefined,
  }));
}

function singleEtag(headers: Headers, name: 'if-match' | 'if-none-match'): string | undefined {
  const etags = parseEtags(headers[name]);
  if (etags === undefined) return undefined;
  const [etag] = etags;
  if (etag === undefined || etags.length > 1) {
    throw new S3Error('InvalidArgument', `A write takes one ETag or * in its ${name} header.`, {
      details: { ArgumentName: name, ArgumentValue: headers[name] ?? '' },
    });
  }
  return etag.value;
}

function notImplemented(header: string): S3Error {
  return new S3Error('NotImplemented', undefined, { details: { Header: header } });
}
