// Requests on the service and on buckets: listings, their records, batch deletion.
import { type Call, Refused } from './call.ts';
import { compareNames, type Entry, entriesOf, escaped, nameWriter, unescapedXml } from './documents.ts';
import { quoted } from './object-routes.ts';
import { StoredBucket, type StoredObject } from './store.ts';

type Buckets = Map<string, StoredBucket>;

export function listBuckets(call: Call, buckets: Buckets): void {
  const marker = call.query.get('marker') ?? '';
  const names = [...buckets.keys()].filter((name) => name > marker).sort(compareNames);
  const page = names.slice(0, call.integer('max-keys', 1_000));
  const listed = page.map((name) => {
    const created = buckets.get(name)?.created.toISOString();
    return `<Bucket><CreationDate>${created}</CreationDate><Name>${name}</Name></Bucket>`;
  });
  const more =
    page.length < names.length ? `<IsTruncated>true</IsTruncated><NextMarker>${page.at(-1)}</NextMarker>` : '';
  call.answerXml(`<ListAllMyBucketsResult>${more}<Buckets>${listed.join('')}</Buckets></ListAllMyBucketsResult>`);
}

export async function createBucket(call: Call, buckets: Buckets): Promise<void> {
  const name = call.bucket ?? '';
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name)) throw new Refused(400, 'InvalidBucketName');
  await call.body();
  if (!buckets.has(name)) buckets.set(name, new StoredBucket(name));
  call.answer(200);
}

export function deleteBucket(call: Call, buckets: Buckets, bucket: StoredBucket): void {
  const pending = call.flavour.uploadsHoldBucket && bucket.uploads.size > 0;
  if (bucket.objects.size > 0 || !bucket.versions.isEmpty || pending) throw new Refused(409, 'BucketNotEmpty');
  buckets.delete(bucket.name);
  call.answer(204);
}

export function describeBucket(call: Call, bucket: StoredBucket): void {
  if (call.query.has('location')) {
    call.answerXml('<LocationConstraint>test-region</LocationConstraint>');
    return;
  }
  if (call.query.has('versioning')) {
    const { status } = bucket.versions;
    const told = status === undefined ? '' : `<Status>${status}</Status>`;
    call.answerXml(`<VersioningConfiguration>${told}</VersioningConfiguration>`);
    return;
  }
  const created = bucket.created.toISOString();
  call.answerXml(
    `<BucketInfo><Bucket><Name>${bucket.name}</Name><CreationDate>${created}</CreationDate></Bucket></BucketInfo>`,
  );
}

export function listObjects(call: Call, bucket: StoredBucket): void {
  const v2 = call.query.get('list-type') === '2';
  const token = v2 ? call.query.get('continuation-token') : call.query.get('marker');
  const from = token === undefined ? (call.query.get('start-after') ?? '') : v2 ? decodeToken(token) : token;
  const items = [...bucket.objects].filter(([key]) => compareNames(key, from) > 0);
  items.sort(([one], [other]) => compareNames(one, other));
  const grouped = entriesOf(items, call.query.get('prefix') ?? '', call.query.get('delimiter') ?? '');
  // A page goes on behind the prefix it ended with; start-after says nothing of prefixes.
  const entries = token === undefined ? grouped : grouped.filter(({ name }) => name !== from);
  const page = entries.slice(0, Math.min(1_000, call.integer('max-keys', 100)));
  call.answerXml(listDocument(call, page, page.length < entries.length, v2));
}

function listDocument(call: Call, page: readonly Entry<StoredObject>[], truncated: boolean, v2: boolean): string {
  const write = nameWriter(call.query.get('encoding-type'));
  const body = page.map(({ name, item }) => {
    if (item === undefined) return `<CommonPrefixes><Prefix>${write(name)}</Prefix></CommonPrefixes>`;
    const storageClass = item.headers[`${call.flavour.prefix}storage-class`] ?? call.flavour.standardClass;
    return (
      `<Contents><Key>${write(name)}</Key><LastModified>${item.modified.toISOString()}</LastModified>` +
      `<ETag>${escaped(quoted(call, item))}</ETag><Size>${item.bytes.length}</Size>` +
      `<StorageClass>${storageClass}</StorageClass></Contents>`
    );
  });
  const last = page.at(-1)?.name ?? '';
  const next = v2
    ? `<NextContinuationToken>${encodeToken(last)}</NextContinuationToken>`
    : `<NextMarker>${write(last)}</NextMarker>`;
  return (
    `<ListBucketResult><Name>${call.bucket}</Name>${encodingElement(call)}` +
    `<IsTruncated>${truncated}</IsTruncated>${truncated ? next : ''}${body.join('')}</ListBucketResult>`
  );
}

export function encodingElement(call: Call): string {
  return call.query.get('encoding-type') === 'url' ? '<EncodingType>url</EncodingType>' : '';
}

export async function deleteObjects(call: Call, bucket: StoredBucket): Promise<void> {
  if (call.header('content-md5') === undefined) throw new Refused(400, 'InvalidArgument');
  const document = (await call.body()).toString('utf8');
  const keys = [...document.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = '']) => unescapedXml(key));
  if (keys.length === 0 || keys.length > 1_000) throw new Refused(400, 'MalformedXML');
  for (const key of keys) bucket.versions.put(key, undefined);
  const quiet = document.includes('<Quiet>true</Quiet>');
  const deleted = quiet ? [] : keys.map((key) => `<Deleted><Key>${escaped(key)}</Key></Deleted>`);
  call.answerXml(`<DeleteResult>${deleted.join('')}</DeleteResult>`);
}

function encodeToken(name: string): string {
  return Buffer.from(name).toString('base64url');
}

function decodeToken(token: string): string {
  return Buffer.from(token, 'base64url').toString('utf8');
}
