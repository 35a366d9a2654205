// Whether a record is still believed. Pure.
import { BackendError } from '../../backends/backend.ts';
import type { NameRecord } from './name-records.ts';
import type { Freshness, Wanted } from './versions.ts';

export function isFresh(record: NameRecord, freshness: Freshness, wanted: Wanted, nowMs: number): boolean {
  if (record.kind === 'written' || (wanted.complete && record.kind === 'known' && !record.complete)) return false;
  const limitMs = record.kind === 'missing' ? freshness.missingFreshMs : freshness.freshMs;
  if (limitMs === Number.POSITIVE_INFINITY) return true;
  return limitMs > 0 && nowMs - record.askedAtMs <= limitMs;
}

/** Instead of this error. */
export function mayServeStale(record: NameRecord, freshness: Freshness, error: unknown, nowMs: number): boolean {
  const originFailed = error instanceof BackendError && ORIGIN_FAILURES.has(error.code);
  const limitMs = freshness.freshMs + freshness.staleIfErrorMs;
  return originFailed && record.kind === 'known' && nowMs - record.askedAtMs <= limitMs;
}

/** Failures of the origin, not answers about the object. */
const ORIGIN_FAILURES: ReadonlySet<BackendError['code']> = new Set([
  'Unavailable',
  'Timeout',
  'SlowDown',
  'Internal',
  'Misconfigured',
]);
