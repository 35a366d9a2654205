// What a bucket's settings say of access lists: its own, and whether any of its objects may have one, so that buckets
// without are never asked about their objects for people who may not read them.
import type { CannedAcl } from '../../backends/backend.ts';
import type { BucketSettings } from '../objects/bucket-settings.ts';
import { parseCannedAcl } from './acl.ts';
import type { RecentSettings } from './recent-settings.ts';

const BUCKET_ACL_DOCUMENT = 'acl';
const OBJECT_ACLS_DOCUMENT = 'object-acls';

/** Both, as far as nobody has to be asked; undefined: somebody has. */
export function knownAcls(
  settings: Pick<RecentSettings, 'known'>,
  bucket: string,
): { acl: CannedAcl | undefined; objectAcls: boolean } | undefined {
  const acl = settings.known(bucket, BUCKET_ACL_DOCUMENT);
  const objectAcls = settings.known(bucket, OBJECT_ACLS_DOCUMENT);
  if (acl === undefined || objectAcls === undefined) return undefined;
  return { acl: parseCannedAcl(acl.document), objectAcls: objectAcls.document !== undefined };
}

export async function bucketAcl(
  settings: Pick<BucketSettings, 'get'>,
  bucket: string,
  signal: AbortSignal,
): Promise<CannedAcl | undefined> {
  return parseCannedAcl(await settings.get(bucket, BUCKET_ACL_DOCUMENT, signal));
}

export async function setBucketAcl(
  settings: BucketSettings,
  bucket: string,
  acl: CannedAcl | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (acl !== undefined) return settings.set(bucket, BUCKET_ACL_DOCUMENT, acl, signal);
  if ((await settings.get(bucket, BUCKET_ACL_DOCUMENT, signal)) === undefined) return undefined;
  return settings.delete(bucket, BUCKET_ACL_DOCUMENT, signal);
}

export async function mayHaveObjectAcls(
  settings: Pick<BucketSettings, 'get'>,
  bucket: string,
  signal: AbortSignal,
): Promise<boolean> {
  return (await settings.get(bucket, OBJECT_ACLS_DOCUMENT, signal)) !== undefined;
}

/** Before an object gets its list: whoever reads it by that list must find out that there is one. */
export async function expectObjectAcl(
  settings: BucketSettings,
  bucket: string,
  acl: CannedAcl | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (acl === undefined || (await mayHaveObjectAcls(settings, bucket, signal))) return;
  await settings.set(bucket, OBJECT_ACLS_DOCUMENT, 'true', signal);
}
