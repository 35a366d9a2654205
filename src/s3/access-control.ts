// Whether a request may do what it asks: the rules are in auth/policy.ts, the bucket's owner is found out here.
import type { Identity } from './auth/authenticate.ts';
import { type Action, authorise } from './auth/policy.ts';
import type { BucketOwners } from './bucket-owners.ts';
import { S3Error } from './errors.ts';
import type { OperationName } from './operation.ts';
import type { Access, Operation } from './operations/operation-context.ts';
import type { Target } from './target.ts';

export class AccessControl {
  readonly #owners: BucketOwners;

  constructor(deps: { readonly owners: BucketOwners }) {
    this.#owners = deps.owners;
  }

  /** Returns the bucket's owner; undefined: none is known. Throws AccessDenied, NoSuchBucket. */
  async admit(
    request: {
      readonly name: OperationName;
      readonly operation: Pick<Operation, 'action' | 'perKey'>;
      readonly identity: Identity;
      readonly target: Target;
    },
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { name, operation, identity, target } = request;
    const { bucket } = target;
    const signed = identity.account !== undefined;
    const check = (bucketOwner: string | undefined): void => {
      if (operation.perKey && signed) return;
      authorise({ identity, action: operation.action, bucket, key: subjectOf(name, target), bucketOwner });
    };
    if (bucket === undefined || name === 'CreateBucket') {
      check(undefined);
      return undefined;
    }
    // Who is not signed is judged before an origin is asked anything for it.
    if (!signed) check(undefined);
    const owner = await this.#owners.ownerOf(bucket, signal);
    check(owner);
    return owner;
  }

  /** For what an operation finds out it needs beyond its own target. */
  of(identity: Identity, signal: AbortSignal): Access {
    const check = async (action: Action, bucket: string, key?: string): Promise<void> => {
      const bucketOwner = await this.#owners.ownerOf(bucket, signal);
      authorise({ identity, action, bucket, key, bucketOwner });
    };
    return {
      check,
      isAllowed: async (action, bucket, key) => {
        try {
          await check(action, bucket, key);
          return true;
        } catch (error) {
          if (error instanceof S3Error && error.code === 'AccessDenied') return false;
          throw error;
        }
      },
      forget: (bucket) => this.#owners.forget(bucket),
    };
  }
}

/** The key, or the prefix that is listed. */
function subjectOf(name: OperationName, target: Target): string | undefined {
  if (target.key !== undefined || !name.startsWith('List')) return target.key;
  return target.query.find(([parameter]) => parameter === 'prefix')?.[1];
}
