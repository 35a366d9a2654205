// What the conditions of a policy can be about: who asks, from where, and what the request says.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html
import type { Tags } from '../../../backends/backend.ts';
import type { Identity } from '../auth/authenticate.ts';
import { decodeHeader } from '../header-text.ts';
import type { S3Request } from '../request.ts';
import { type ConditionValues, EXISTING_TAG, REQUEST_TAG } from './policy-conditions.ts';

export interface AskedBy {
  readonly identity: Pick<Identity, 'account' | 'name'>;
  readonly request: Pick<S3Request, 'query' | 'remoteAddress' | 'secure'>;
  /** Lower-case names; a presigned URL's x-amz-* parameters count as headers. */
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** What is known beyond the request itself. */
export interface Known {
  /** In place of the one that the request lists by. */
  readonly prefix?: string | undefined;
  /** Of the object that is there; undefined: nobody had to know. */
  readonly existing?: Tags | undefined;
  /** That the request brings. Default: those of its header. */
  readonly requested?: Tags | undefined;
}

export function valuesOf(asked: AskedBy, known: Known, now: () => Date): ConditionValues {
  const { identity, request, headers } = asked;
  const values: Readonly<Record<string, () => string | undefined>> = {
    'aws:principalaccount': () => identity.account,
    'aws:username': () => (identity.account === undefined ? undefined : identity.name),
    'aws:sourceip': () => request.remoteAddress,
    'aws:securetransport': () => String(request.secure),
    'aws:currenttime': () => now().toISOString(),
    'aws:epochtime': () => String(Math.floor(now().getTime() / 1000)),
    'aws:referer': () => headers.referer,
    'aws:useragent': () => headers['user-agent'],
    's3:versionid': () => parameter(request, 'versionId'),
    's3:x-amz-copy-source': () => copySource(headers['x-amz-copy-source']),
    's3:prefix': () => known.prefix ?? parameter(request, 'prefix'),
    's3:delimiter': () => parameter(request, 'delimiter'),
    's3:max-keys': () => parameter(request, 'max-keys'),
  };
  return (key) => {
    if (key.startsWith(EXISTING_TAG)) return tagOf(known.existing, key.slice(EXISTING_TAG.length));
    if (key.startsWith(REQUEST_TAG)) {
      const name = key.slice(REQUEST_TAG.length);
      if (known.requested !== undefined) return tagOf(known.requested, name);
      return new URLSearchParams(headers['x-amz-tagging'] ?? '').get(name) ?? undefined;
    }
    if (Object.hasOwn(values, key)) return values[key]?.();
    return key.startsWith('s3:x-amz-') ? headers[key.slice('s3:'.length)] : undefined;
  };
}

function tagOf(tags: Tags | undefined, name: string): string | undefined {
  return tags !== undefined && Object.hasOwn(tags, name) ? tags[name] : undefined;
}

function parameter({ query }: AskedBy['request'], wanted: string): string | undefined {
  return query.find(([name]) => name === wanted)?.[1];
}

/** bucket/key, as policies write it. */
function copySource(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const path = decodeHeader(header)
    .replace(/\?versionId=.*$/s, '')
    .replace(/^\//, '');
  try {
    return decodeURIComponent(path);
  } catch {
    // The operation refuses it.
    return path;
  }
}
