// Whether a request may do what it asks. Who may what is decided by pure functions (auth/policy.ts, policy/evaluate.ts);
// what they have to know is found out here: the bucket's owner, its policy, public-access block and access list, the tags
// and the access list of the object.
import { BackendError, type CannedAcl, type Tags } from '../../backends/backend.ts';
import type { Objects } from '../objects/objects.ts';
import { isPublicAcl } from './acl.ts';
import { bucketAclGrants, objectAclGrants, readsObject } from './acl-grants.ts';
import type { Identity } from './auth/authenticate.ts';
import { type Action, authorise, isAllowed } from './auth/policy.ts';
import { bucketAcl, knownAcls, mayHaveObjectAcls } from './bucket-acls.ts';
import type { BucketOwner, BucketOwners } from './bucket-owners.ts';
import { S3Error } from './errors.ts';
import type { OperationName } from './operation.ts';
import type { Access, Operation } from './operations/operation-context.ts';
import type { BucketPolicies } from './policy/bucket-policies.ts';
import type { BucketPolicy } from './policy/bucket-policy.ts';
import { asksExistingTags, asksRequestTags, evaluate, isPublic, type Verdict } from './policy/evaluate.ts';
import { actionsOf } from './policy/policy-actions.ts';
import type { PublicAccessBlock } from './policy/public-access-block.ts';
import { type AskedBy, type Known, valuesOf } from './policy/request-values.ts';
import type { RecentSettings } from './recent-settings.ts';
import type { S3Request } from './request.ts';

interface AccessControlDeps {
  readonly owners: BucketOwners;
  readonly policies: BucketPolicies;
  readonly settings: Pick<RecentSettings, 'get' | 'known'>;
  readonly objects: Pick<Objects, 'getTags' | 'head'>;
  readonly now: () => Date;
}

/** A request on its way in. */
export interface Asking extends AskedBy {
  readonly name: OperationName;
  readonly operation: Pick<Operation, 'action' | 'perKey' | 'tagsInBody'>;
  readonly identity: Identity;
  readonly request: Pick<S3Request, 'bucket' | 'key' | 'query' | 'remoteAddress' | 'secure'>;
}

/** One thing that is asked for. */
interface Subject {
  readonly name: OperationName;
  readonly action: Action;
  readonly bucket: string;
  readonly key: string | undefined;
  /** That is listed. */
  readonly prefix?: string | undefined;
  readonly versionId: string | undefined;
}

interface BucketAccess {
  readonly owner: string | undefined;
  readonly policy: BucketPolicy | undefined;
  readonly block: PublicAccessBlock;
  readonly acl: CannedAcl | undefined;
  /** Some of its objects may have lists of their own. */
  readonly objectAcls: boolean;
}

export class AccessControl {
  readonly #deps: AccessControlDeps;

  constructor(deps: AccessControlDeps) {
    this.#deps = deps;
  }

  /** The bucket's owner, where all that has to be known is at hand and allows it; undefined: admit() decides. */
  admitAtHand(asking: Asking): BucketOwner | undefined {
    const { bucket } = asking.request;
    const access = bucket === undefined ? undefined : this.#knownAccessTo(bucket);
    if (bucket === undefined || access === undefined || asking.name === 'CreateBucket') return undefined;
    const { policy, block, owner } = access;
    if (block.BlockPublicAcls || (policy !== undefined && asksExistingTags(policy))) return undefined;
    const subject = targetOf(asking, bucket);
    const verdict = this.#verdictOn(subject, asking, access, {});
    return isAllowed(accessRequest(subject, asking.identity, owner, verdict)) ? { owner } : undefined;
  }

  /** Returns the bucket's owner; undefined: none is known. Throws AccessDenied, NoSuchBucket. */
  async admit(asking: Asking, signal: AbortSignal): Promise<string | undefined> {
    const { name, identity, operation, request, headers } = asking;
    const { bucket } = request;
    if (bucket === undefined || name === 'CreateBucket') {
      authorise({
        identity,
        action: operation.action,
        bucket,
        key: undefined,
        bucketOwner: undefined,
        verdict: 'silent',
      });
      return undefined;
    }
    const subject = targetOf(asking, bucket);
    const access = await this.#accessTo(subject, asking, signal);
    if (access.block.BlockPublicAcls && isPublicAcl(headers['x-amz-acl'])) throw new S3Error('AccessDenied');
    if (isAskedLater(asking, access.policy)) return access.owner;
    const isAllowed = await isGranted(this.#authorise(subject, asking, access, {}, signal));
    if (!isAllowed && !(await this.#isMissing(subject, asking, signal))) throw new S3Error('AccessDenied');
    return access.owner;
  }

  /** That a key which may be listed is not there, a reader learns although it may not read it. */
  async #isMissing(subject: Subject, asking: Asking, signal: AbortSignal): Promise<boolean> {
    const { bucket, key, versionId, name } = subject;
    if (key === undefined || versionId !== undefined || !readsObject(name)) return false;
    if (!(await this.of(asking, signal).mayList(bucket, key))) return false;
    return (await unlessMissing(this.#deps.objects.head({ bucket, key }, {}, signal))) === undefined;
  }

  /** For what an operation finds out it needs beyond its own target. */
  of(asking: Asking, signal: AbortSignal): Access {
    const ask = async (subject: Subject, known: Known): Promise<BucketAccess> => {
      const access = await this.#accessTo(subject, asking, signal);
      await this.#authorise(subject, asking, access, known, signal);
      return access;
    };
    return {
      checkSource: async (source) => {
        const { owner } = await ask({ name: 'GetObject', action: 'read', versionId: undefined, ...source }, {});
        checkExpectedOwner(asking.headers['x-amz-source-expected-bucket-owner'], owner);
      },
      isAllowed: (action, bucket, key, versionId) =>
        isGranted(ask({ name: OPERATION_OF[action], action, bucket, key, versionId }, {})),
      mayList: (bucket, prefix) => {
        const subject = { name: 'ListObjects', action: 'list', bucket, key: undefined, prefix } as const;
        return isGranted(ask({ ...subject, versionId: undefined }, { prefix }));
      },
      checkTags: (tags) => this.#authoriseTags(asking, tags, signal),
      forget: (bucket) => this.#deps.owners.forget(bucket),
    };
  }

  async #authoriseTags(asking: Asking, requested: Tags, signal: AbortSignal): Promise<void> {
    const subject = targetOf(asking, asking.request.bucket ?? '');
    const access = await this.#accessTo(subject, asking, signal);
    await this.#authorise(subject, asking, access, { requested }, signal);
  }

  #knownAccessTo(bucket: string): BucketAccess | undefined {
    const { owners, policies, settings } = this.#deps;
    const owner = owners.known(bucket);
    const policy = policies.known(settings, bucket);
    const acls = knownAcls(settings, bucket);
    if (owner === undefined || policy === undefined || acls === undefined) return undefined;
    return {
      owner: owner.owner,
      policy: policy.policy,
      block: policy.block,
      acl: acls.acl,
      objectAcls: acls.objectAcls,
    };
  }

  /** Who is not signed is judged before an origin is asked whose the bucket is: without a policy, by the rules alone. */
  async #accessTo(subject: Subject, { identity }: Asking, signal: AbortSignal): Promise<BucketAccess> {
    const { owners, policies, settings } = this.#deps;
    const { bucket } = subject;
    const isSigned = identity.account !== undefined;
    const owner = isSigned ? await owners.ownerOf(bucket, signal) : undefined;
    const policy = await unlessMissing(policies.policyOf(bucket, signal));
    const acl = await unlessMissing(bucketAcl(settings, bucket, signal));
    const objectAcls = (await unlessMissing(mayHaveObjectAcls(settings, bucket, signal))) ?? false;
    if (!isSigned && policy === undefined && acl === undefined && !objectAcls) {
      authorise(accessRequest(subject, identity, undefined, 'silent'));
    }
    const known = isSigned ? owner : await owners.ownerOf(bucket, signal);
    return { owner: known, policy, block: await policies.blockOf(bucket, signal), acl, objectAcls };
  }

  async #authorise(
    subject: Subject,
    asking: Asking,
    access: BucketAccess,
    known: Known,
    signal: AbortSignal,
  ): Promise<void> {
    const { policy } = access;
    const existing = policy !== undefined && asksExistingTags(policy) ? await this.#tagsOf(subject, signal) : undefined;
    const said = this.#verdictOn(subject, asking, access, { ...known, existing });
    const isOpen = said === 'silent' && (await this.#isOpen(subject, asking.identity, access, signal));
    const verdict = isOpen ? 'allow' : said;
    authorise(accessRequest(subject, asking.identity, access.owner, verdict));
  }

  #verdictOn(subject: Subject, asking: Asking, { owner, policy, block }: BucketAccess, known: Known): Verdict {
    const { identity, headers } = asking;
    const { bucket, key, versionId, name } = subject;
    if (policy === undefined || isWayOut(name, identity, owner)) return 'silent';
    const verdict = evaluate(policy, {
      principal: identity,
      actions: actionsOf(name, { versioned: versionId !== undefined, headers }),
      resource: key === undefined ? bucket : `${bucket}/${key}`,
      valueAt: valuesOf(asking, known, this.#deps.now),
    });
    const isRestricted = block.RestrictPublicBuckets && identity.account !== owner && isPublic(policy);
    return verdict === 'allow' && isRestricted ? 'silent' : verdict;
  }

  /** By access lists. An object that is not there is nobody's secret where everybody may list. */
  async #isOpen(subject: Subject, { account }: Identity, access: BucketAccess, signal: AbortSignal): Promise<boolean> {
    const { acl, block, owner, objectAcls } = access;
    const { bucket, key, name, versionId } = subject;
    if (block.IgnorePublicAcls || (account !== undefined && account === owner)) return false;
    if (bucketAclGrants(acl, name, account)) return true;
    if (key === undefined || !readsObject(name) || (acl === undefined && !objectAcls)) return false;
    const found = await unlessMissing(this.#deps.objects.head({ bucket, key }, { versionId }, signal));
    if (found === undefined) return bucketAclGrants(acl, 'ListObjects', account);
    return objectAclGrants(found.info.acl, name, account);
  }

  async #tagsOf({ bucket, key, versionId }: Subject, signal: AbortSignal): Promise<Tags> {
    if (key === undefined) return {};
    const found = await unlessMissing(this.#deps.objects.getTags({ bucket, key, versionId }, signal));
    return found?.tags ?? {};
  }
}

/** Where no owner is known, nobody can be told that it is another. Throws AccessDenied. */
export function checkExpectedOwner(expected: string | undefined, owner: string | undefined): void {
  if (expected !== undefined && owner !== undefined && expected !== owner) throw new S3Error('AccessDenied');
}

/** What an operation may need on something that is not its target. */
const OPERATION_OF = { read: 'GetObject', write: 'PutObject', delete: 'DeleteObject' } as const;

function accessRequest(subject: Subject, identity: Identity, bucketOwner: string | undefined, verdict: Verdict) {
  const { action, bucket, key, prefix } = subject;
  return { identity, action, bucket, key: key ?? prefix, bucketOwner, verdict };
}

function targetOf({ name, operation, request }: Asking, bucket: string): Subject {
  const { query, key } = request;
  const prefix = name.startsWith('List') ? parameterOf(query, 'prefix') : undefined;
  return { name, action: operation.action, bucket, key, prefix, versionId: parameterOf(query, 'versionId') };
}

function parameterOf(query: S3Request['query'], wanted: string): string | undefined {
  return query.find(([name]) => name === wanted)?.[1];
}

/** The operation asks again, for each key of its body or with the tags in it. */
function isAskedLater({ operation, identity }: Asking, policy: BucketPolicy | undefined): boolean {
  if (operation.perKey) return identity.account !== undefined || policy !== undefined;
  return operation.tagsInBody === true && policy !== undefined && asksRequestTags(policy);
}

const POLICY_OPERATIONS: ReadonlySet<OperationName> = new Set([
  'GetBucketPolicy',
  'PutBucketPolicy',
  'DeleteBucketPolicy',
]);

/** Nobody locks an owner out of its own policy. */
function isWayOut(name: OperationName, { account, rules }: Identity, owner: string | undefined): boolean {
  const isOwner = account !== undefined && rules === undefined && (owner === undefined || owner === account);
  return isOwner && POLICY_OPERATIONS.has(name);
}

async function isGranted(asked: Promise<unknown>): Promise<boolean> {
  try {
    await asked;
    return true;
  } catch (error) {
    if (error instanceof S3Error && error.code === 'AccessDenied') return false;
    throw error;
  }
}

const MISSING = new Set<string>(['NoSuchBucket', 'NoSuchKey', 'NoSuchVersion', 'DeleteMarker']);

async function unlessMissing<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof BackendError && MISSING.has(error.code)) return undefined;
    throw error;
  }
}
