// What a bucket policy says of a request. An explicit deny wins over every allow.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
import { matchesGlob } from '../auth/glob.ts';
import type { BucketPolicy, Listed, Principal, Statement } from './bucket-policy.ts';
import { type ConditionValues, EXISTING_TAG, holds, namesAddresses, REQUEST_TAG } from './policy-conditions.ts';

export interface PolicyRequest {
  /** Undefined account: nobody, an unsigned request. */
  readonly principal: { readonly account: string | undefined; readonly name: string };
  /** All that the request needs. */
  readonly actions: readonly string[];
  /** 'bucket' or 'bucket/key'. */
  readonly resource: string;
  readonly valueAt: ConditionValues;
}

/** Silent: it neither allows nor denies. */
export type Verdict = 'allow' | 'deny' | 'silent';

export function evaluate(policy: BucketPolicy, request: PolicyRequest): Verdict {
  const verdicts = request.actions.map((action) => verdictOn(policy, request, action));
  if (verdicts.includes('deny')) return 'deny';
  return verdicts.every((verdict) => verdict === 'allow') ? 'allow' : 'silent';
}

function verdictOn({ statements }: BucketPolicy, request: PolicyRequest, action: string): Verdict {
  const effects = statements.filter((statement) => applies(statement, request, action)).map(({ effect }) => effect);
  if (effects.includes('Deny')) return 'deny';
  return effects.includes('Allow') ? 'allow' : 'silent';
}

function applies(statement: Statement, request: PolicyRequest, action: string): boolean {
  const { principals, actions, resources, conditions } = statement;
  return (
    isOn(principals, (principal) => isMeant(principal, request.principal)) &&
    isOn(actions, (pattern) => matchesGlob(pattern, action.toLowerCase())) &&
    isOn(resources, (pattern) => matchesGlob(pattern, request.resource)) &&
    conditions.every((condition) => holds(condition, request.valueAt))
  );
}

function isOn<T>({ not, list }: Listed<T>, matches: (item: T) => boolean): boolean {
  return list.some(matches) !== not;
}

function isMeant(principal: Principal, { account, name }: PolicyRequest['principal']): boolean {
  if (principal === 'anyone') return true;
  return principal.account === account && (principal.name === undefined || principal.name === name);
}

/** Whether it allows anything to anyone at all, wherever they come from. */
export function isPublic({ statements }: BucketPolicy): boolean {
  return statements.some(
    ({ effect, principals, conditions }) =>
      effect === 'Allow' && principals.list.includes('anyone') && !conditions.some(namesAddresses),
  );
}

/** Whether the tags of the object have to be known for an evaluation. */
export function asksExistingTags(policy: BucketPolicy): boolean {
  return mentions(policy, EXISTING_TAG);
}

/** Whether the tags that the request brings have to be known. */
export function asksRequestTags(policy: BucketPolicy): boolean {
  return mentions(policy, REQUEST_TAG);
}

function mentions({ statements }: BucketPolicy, beginning: string): boolean {
  return statements.some(({ conditions }) => conditions.some(({ key }) => key.startsWith(beginning)));
}
