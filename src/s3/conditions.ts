// Conditional headers as the contract has them. Deciding them is the backend's part (backends/conditions.ts).
import type { Capabilities, DeleteConditions, ReadConditions, WriteConditions } from '../../backends/backend.ts';
import { S3Error } from './errors.ts';
import type { S3Request } from './request.ts';

type Headers = S3Request['headers'];

export function parseReadConditions(headers: Headers): ReadConditions | undefined {
  return readConditions(
    headers['if-match'],
    headers['if-none-match'],
    headers['if-modified-since'],
    headers['if-unmodified-since'],
  );
}

/** On a copy's source. */
export function parseSourceConditions(headers: Headers): ReadConditions | undefined {
  return readConditions(
    headers['x-amz-copy-source-if-match'],
    headers['x-amz-copy-source-if-none-match'],
    headers['x-amz-copy-source-if-modified-since'],
    headers['x-amz-copy-source-if-unmodified-since'],
  );
}

function readConditions(
  match: string | undefined,
  noneMatch: string | undefined,
  modifiedSince: string | undefined,
  unmodifiedSince: string | undefined,
): ReadConditions | undefined {
  // A weak validator never satisfies If-Match; an empty list is satisfied by nothing.
  const strong = parseEtags(match)?.filter((etag) => !etag.weak);
  const ifMatch = strong?.map((etag) => etag.value);
  const ifNoneMatch = parseEtags(noneMatch)?.map((etag) => etag.value);
  const ifModifiedSince = parseHttpDate(modifiedSince);
  const ifUnmodifiedSince = parseHttpDate(unmodifiedSince);
  if ((ifMatch ?? ifNoneMatch ?? ifModifiedSince ?? ifUnmodifiedSince) === undefined) return undefined;
  return { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince };
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

/** Conditions on what a delete removes, as it names them; an origin that cannot keep one must not be asked to. */
export function parseDeleteConditions(
  named: {
    readonly etag: string | undefined;
    readonly lastModified: string | undefined;
    readonly size: string | undefined;
  },
  capabilities: Capabilities,
): DeleteConditions | undefined {
  const { etag, lastModified, size } = named;
  if (etag === undefined && lastModified === undefined && size === undefined) return undefined;
  if ((capabilities.deleteIf ?? 'none') === 'none') {
    throw new S3Error('NotImplemented', "This bucket's backend cannot delete on conditions.");
  }
  return {
    ifMatch: etag === undefined ? undefined : unquoteEtag(etag),
    lastModified: lastModified === undefined ? undefined : requiredDate(lastModified),
    sizeBytes: size === undefined ? undefined : requiredSize(size),
  };
}

/** For operations whose contract knows no conditions. */
export function refuseConditions(headers: Headers, names: readonly string[] = CONDITIONAL): void {
  for (const name of names) {
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

/** As HTTP or as XML writes it. */
function requiredDate(text: string): Date {
  const date = parseHttpDate(text) ?? new Date(/^\d{4}-\d{2}-\d{2}T/.test(text) ? text : Number.NaN);
  if (!Number.isNaN(date.getTime())) return date;
  throw new S3Error('InvalidArgument', 'The last modified time of a condition is no date.', {
    details: { ArgumentName: 'LastModifiedTime', ArgumentValue: text },
  });
}

function requiredSize(text: string): number {
  const size = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(size)) return size;
  throw new S3Error('InvalidArgument', 'The size of a condition is not a number of bytes.', {
    details: { ArgumentName: 'Size', ArgumentValue: text },
  });
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
