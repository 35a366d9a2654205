// Which bytes a file server's answer names. Identity, best first:
//   1. A strong ETag names the bytes by itself. An all-upper-case hexadecimal one is told in lower case.
//   2. Last-Modified and length, once the answer's Date is a minute past Last-Modified: then no second change can hide
//      in the same second, however the clocks of server and disk differ (RFC 9110 §8.8.2.2, with the margin of its
//      predecessor). A weak ETag, where there is one, is part of this identity, so that a change of any changes it.
//   3. None: the etag still tells changes apart where it can, but satisfies no If-Match and nothing is cached under it.
// Etags made here begin with a prefix and are never sent to the server, which does not know them.
import { createHash, randomUUID } from 'node:crypto';
import type { ObjectInfo, ReadConditions } from '../backend.ts';
import type { AnswerHeaders } from './http-client.ts';

const SETTLED_AFTER_MS = 60_000;
const STRONG_ETAG = /^"([\x21\x23-\x7e]+)"$/;
const WEAK_ETAG = /^W\/"([^"]*)"$/;
const MADE_HERE = /^(lm|weak|none)-/;
const UPPER_CASE_HEX = /^[0-9A-F]+(-[0-9A-F]+)*$/;

export function identify(headers: AnswerHeaders, sizeBytes: number): Pick<ObjectInfo, 'etag' | 'identity'> {
  const strong = strongEtag(headers);
  if (strong !== undefined) return { etag: strong, identity: 'strong' };
  const weak = WEAK_ETAG.exec(headers.etag ?? '')?.[1];
  const modified = parseDate(headers['last-modified']);
  if (modified !== undefined) {
    const parts = ['lm', hex(modified.getTime() / 1000), hex(sizeBytes), ...(weak === undefined ? [] : [digest(weak)])];
    return { etag: parts.join('-'), identity: isSettled(modified, headers) ? 'strong' : 'none' };
  }
  if (weak !== undefined) return { etag: `weak-${hex(sizeBytes)}-${digest(weak)}`, identity: 'none' };
  // No two answers can be told to be the same: no later one may match this.
  return { etag: `none-${randomUUID()}`, identity: 'none' };
}

/** As it is told to clients. */
export function strongEtag(headers: AnswerHeaders): string | undefined {
  const etag = STRONG_ETAG.exec(headers.etag ?? '')?.[1];
  return etag === undefined ? undefined : lowerHex(etag);
}

/** The date of a header, where it is one. */
export function parseDate(value: string | undefined): Date | undefined {
  const time = value === undefined ? Number.NaN : Date.parse(value);
  return Number.isNaN(time) ? undefined : new Date(time);
}

/**
 * What of the conditions the server can decide by itself, to spare the body. All are decided again on its answer,
 * because servers may ignore any of them.
 */
export function conditionHeaders(conditions: ReadConditions | undefined): Record<string, string> {
  const headers: Record<string, string> = {};
  if (conditions === undefined) return headers;
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = conditions;
  if (ifMatch?.every(isTheServers)) headers['if-match'] = quoteAll(ifMatch);
  if (ifMatch === undefined && ifUnmodifiedSince) headers['if-unmodified-since'] = ifUnmodifiedSince.toUTCString();
  const known = ifNoneMatch?.filter(isTheServers) ?? [];
  if (known.length > 0) headers['if-none-match'] = quoteAll(known);
  if (ifNoneMatch === undefined && ifModifiedSince) headers['if-modified-since'] = ifModifiedSince.toUTCString();
  return headers;
}

/** Whether only we can tell "not modified": asking for the body outright would begin a transfer for nothing. */
export function needsHeadFirst(conditions: ReadConditions | undefined): boolean {
  return conditions?.ifNoneMatch?.some((etag) => !isTheServers(etag)) ?? false;
}

/** Dates are no condition on an object that has none (RFC 9110 §13.1.3, §13.1.4). */
export function applicableConditions(
  conditions: ReadConditions | undefined,
  headers: AnswerHeaders,
): ReadConditions | undefined {
  if (conditions === undefined || parseDate(headers['last-modified']) !== undefined) return conditions;
  return { ...conditions, ifModifiedSince: undefined, ifUnmodifiedSince: undefined };
}

function isSettled(modified: Date, headers: AnswerHeaders): boolean {
  const answered = parseDate(headers.date);
  return answered !== undefined && answered.getTime() - modified.getTime() >= SETTLED_AFTER_MS;
}

function isTheServers(etag: string): boolean {
  return !MADE_HERE.test(etag);
}

function lowerHex(etag: string): string {
  return UPPER_CASE_HEX.test(etag) ? etag.toLowerCase() : etag;
}

/** Both spellings of what may have been upper case at the server. */
function quoteAll(etags: readonly string[]): string {
  const spellings = etags.flatMap((etag) =>
    UPPER_CASE_HEX.test(etag.toUpperCase()) ? [...new Set([etag, etag.toUpperCase()])] : [etag],
  );
  return spellings.map((etag) => (etag === '*' ? '*' : `"${etag}"`)).join(', ');
}

function hex(value: number): string {
  return Math.trunc(value).toString(16);
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
