// The three ways a signed request tells its time.

import { LRUCache } from 'lru-cache';

const BASIC = /^\d{8}T\d{6}Z$/;

/** Of all clients, in one second or a few: each is read once. */
const recent = new LRUCache<string, Date>({ max: 256 });

/** YYYYMMDDTHHMMSSZ, ISO 8601's basic form; undefined when it is not one, or no such instant. */
export function parseTimestamp(text: string): Date | undefined {
  const known = recent.get(text);
  if (known !== undefined) return known;
  const date = parse(text);
  if (date !== undefined) recent.set(text, date);
  return date;
}

function parse(text: string): Date | undefined {
  if (!BASIC.test(text)) return undefined;
  const at = (start: number, end: number): number => Number(text.slice(start, end));
  const [month, day, hour, minute, second] = [at(4, 6), at(6, 8), at(9, 11), at(11, 13), at(13, 15)];
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const date = new Date(Date.UTC(at(0, 4), month - 1, day, hour, minute, second));
  // The 31st of June is the 1st of July to Date.
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? date : undefined;
}

/** The Date header: HTTP's format (RFC 9110 §5.6.7), or the basic form that some clients put there. */
export function parseDateHeader(text: string): Date | undefined {
  const basic = parseTimestamp(text);
  if (basic !== undefined) return basic;
  if (!/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} (GMT|UTC|[+-]0000)$/.test(text)) return undefined;
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

export function formatTimestamp(date: Date): string {
  return `${date.toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
}
