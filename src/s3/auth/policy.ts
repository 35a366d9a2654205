// Who may do what. A rule grants actions on buckets, or on keys within them; a bucket's policy, whose verdict is found
// elsewhere (policy/evaluate.ts), denies or grants beside them; what nothing grants is denied.
import { S3Error } from '../errors.ts';
import type { Verdict } from '../policy/evaluate.ts';
import { matchesGlob } from './glob.ts';

/** 'read' also covers asking whether a bucket is there and where; 'admin' is what changes a bucket itself. */
export type Action = 'read' | 'write' | 'list' | 'delete' | 'admin';

export interface Rule {
  readonly allow: readonly Action[];
  /** 'models': the whole bucket. 'models/prod/*': keys of that bucket by glob. '*' matches '/' too; '?' is one character. */
  readonly buckets: readonly string[];
}

/** Who asks, as far as a decision needs to know. Without rules: everything its account may. */
interface Subject {
  /** Undefined: nobody, an unsigned request. */
  readonly account: string | undefined;
  readonly rules: readonly Rule[] | undefined;
}

export interface AccessRequest {
  readonly identity: Subject;
  readonly action: Action;
  /** Undefined: ListBuckets. */
  readonly bucket: string | undefined;
  /** The object's key, or the prefix that is listed. Undefined: the bucket itself. */
  readonly key: string | undefined;
  /** The account that made the bucket. Undefined: none is known, as of a bucket that the configuration names. */
  readonly bucketOwner: string | undefined;
  /** Of the bucket's policy. */
  readonly verdict: Verdict;
}

/** Throws AccessDenied. */
export function authorise(request: AccessRequest): void {
  if (!isAllowed(request)) throw new S3Error('AccessDenied');
}

export function isAllowed(request: AccessRequest): boolean {
  if (request.verdict === 'deny') return false;
  return isAllowedByAccount(request) || isAllowedByPolicy(request);
}

/** Rules of a key narrow what its account may; by themselves they never reach into another account's bucket. */
function isAllowedByAccount(request: AccessRequest): boolean {
  return !belongsToAnother(request) && isWithinRules(request);
}

/** Another account's policy gives a key no more than its own rules do. */
function isAllowedByPolicy(request: AccessRequest): boolean {
  return request.verdict === 'allow' && (!belongsToAnother(request) || isWithinRules(request));
}

function isWithinRules(request: AccessRequest): boolean {
  const { rules, account } = request.identity;
  return rules === undefined ? account !== undefined : rules.some((rule) => grants(rule, request));
}

function belongsToAnother({ identity, bucketOwner }: AccessRequest): boolean {
  return bucketOwner !== undefined && identity.account !== undefined && bucketOwner !== identity.account;
}

function grants(rule: Rule, request: AccessRequest): boolean {
  return rule.allow.includes(request.action) && rule.buckets.some((pattern) => covers(pattern, request));
}

function covers(pattern: string, { action, bucket, key }: AccessRequest): boolean {
  if (bucket === undefined) return true;
  const slash = pattern.indexOf('/');
  const [buckets, keys] = slash < 0 ? [pattern, '*'] : [pattern.slice(0, slash), pattern.slice(slash + 1)];
  return matchesGlob(buckets, bucket) && coversKeys(keys, action, key);
}

function coversKeys(keys: string, action: Action, key: string | undefined): boolean {
  // A listing shows every key that begins with its prefix, so the rule has to reach all of those.
  if (action === 'list') return keys.endsWith('*') && matchesGlob(keys, key ?? '');
  if (key !== undefined) return matchesGlob(keys, key);
  return action === 'read' || keys === '*';
}
