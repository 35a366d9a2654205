// ListBuckets: those of the caller's account, and those that no account owns because the configuration names them.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
import type { BucketInfo } from '../../../backends/backend.ts';
import { ownerElement } from '../acl.ts';
import type { Answer } from '../answer.ts';
import { invalidArgument, numberParameter, textParameter } from '../parameters.ts';
import type { OperationContext } from './operation-context.ts';

const MAX_BUCKETS = 10_000;

export async function listBuckets(context: OperationContext): Promise<Answer> {
  const { account, objects, owner, query } = context;
  const limit = numberParameter(query, 'max-buckets', { fallback: MAX_BUCKETS, min: 1, max: MAX_BUCKETS });
  const prefix = query.get('prefix') ?? '';
  const after = parseToken(textParameter(query, 'continuation-token'));
  const all = await objects.listBuckets(context.signal);
  const found = all
    .filter((bucket) => bucket.owner === undefined || bucket.owner === account)
    .filter((bucket) => bucket.name.startsWith(prefix) && (after === undefined || bucket.name > after))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
  const page = found.slice(0, limit);
  return {
    status: 200,
    body: {
      xml: {
        root: 'ListAllMyBucketsResult',
        content: {
          Owner: ownerElement(owner),
          Buckets: { Bucket: page.map((bucket) => bucketElement(bucket)) },
          ContinuationToken: found.length > page.length ? makeToken(page.at(-1)) : undefined,
          Prefix: query.get('prefix'),
        },
      },
    },
  };
}

function bucketElement(bucket: BucketInfo) {
  return { Name: bucket.name, CreationDate: bucket.created.toISOString() };
}

function makeToken(last: BucketInfo | undefined): string | undefined {
  return last && Buffer.from(last.name).toString('base64url');
}

function parseToken(token: string | undefined): string | undefined {
  if (token === undefined) return undefined;
  const name = Buffer.from(token, 'base64url').toString();
  if (!/^[a-z0-9.-]{1,255}$/i.test(name)) {
    throw invalidArgument('continuation-token', token, 'The continuation token provided is incorrect');
  }
  return name;
}
