// The switch of a bucket, the listing of its versions, and headers that tell of one.
import { encodingElement } from './bucket-routes.ts';
import { type Call, Refused } from './call.ts';
import { compareNames, entriesOf, escaped, nameWriter } from './documents.ts';
import { quoted } from './object-routes.ts';
import type { StoredBucket, StoredObject } from './store.ts';
import type { StoredVersion } from './versions.ts';

export async function switchVersioning(call: Call, bucket: StoredBucket): Promise<void> {
  const status = /<Status>(Enabled|Suspended)<\/Status>/.exec((await call.body()).toString('utf8'))?.[1];
  if (status !== 'Enabled' && status !== 'Suspended') throw new Refused(400, 'MalformedXML');
  bucket.versions.switch(status);
  call.answer(200);
}

/** The version that is named, or the current object. */
export function findVersion(call: Call, bucket: StoredBucket, key: string): StoredObject {
  const id = call.query.get('versionId');
  if (id === undefined || (id === 'null' && bucket.versions.status === undefined)) {
    const object = bucket.objects.get(key);
    if (object === undefined) throw new Refused(404, 'NoSuchKey');
    return object;
  }
  const version = bucket.versions.of(key).find((candidate) => candidate.id === id);
  if (version === undefined) throw new Refused(404, 'NoSuchVersion');
  if (version.object === undefined) throw new Refused(405, 'MethodNotAllowed');
  return version.object;
}

export function versionHeader(call: Call, id: string | undefined): Record<string, string> {
  return id === undefined ? {} : { [`${call.flavour.prefix}version-id`]: id };
}

/** Of the object that is told: which of its key's versions it is. */
export function versionHeaderOf(call: Call, bucket: StoredBucket, key: string, object: StoredObject) {
  return versionHeader(call, bucket.versions.of(key).find((version) => version.object === object)?.id);
}

export function listVersions(call: Call, bucket: StoredBucket): void {
  const { query } = call;
  const [keyMarker = '', idMarker] = [query.get('key-marker'), query.get('version-id-marker')];
  const keys = bucket.versions.keys().sort(compareNames);
  const all = keys.flatMap((key) => bucket.versions.of(key).map((version) => [key, version] as const));
  const marked = all.findIndex(([key, { id }]) => key === keyMarker && id === idMarker);
  const rest = marked >= 0 ? all.slice(marked + 1) : all.filter(([key]) => compareNames(key, keyMarker) > 0);
  const grouped = entriesOf(rest, query.get('prefix') ?? '', query.get('delimiter') ?? '');
  const entries = grouped.filter(({ name, item }) => item !== undefined || name !== keyMarker);
  const page = entries.slice(0, Math.min(1_000, call.integer('max-keys', 100)));
  const write = nameWriter(query.get('encoding-type'));
  const body = page.map(({ name, item }) => {
    if (item === undefined) return `<CommonPrefixes><Prefix>${write(name)}</Prefix></CommonPrefixes>`;
    return versionElement(call, write(name), item, bucket.versions.of(name)[0] === item);
  });
  const last = page.at(-1);
  const more = page.length < entries.length && last !== undefined;
  const next = more
    ? `<NextKeyMarker>${write(last.name)}</NextKeyMarker><NextVersionIdMarker>${last.item?.id ?? ''}</NextVersionIdMarker>`
    : '';
  call.answerXml(
    `<ListVersionsResult><Name>${call.bucket}</Name>${encodingElement(call)}` +
      `<IsTruncated>${more}</IsTruncated>${next}${body.join('')}</ListVersionsResult>`,
  );
}

function versionElement(call: Call, key: string, { id, object, modified }: StoredVersion, isLatest: boolean): string {
  const told =
    `<Key>${key}</Key><VersionId>${id}</VersionId><IsLatest>${isLatest}</IsLatest>` +
    `<LastModified>${modified.toISOString()}</LastModified>`;
  if (object === undefined) return `<DeleteMarker>${told}</DeleteMarker>`;
  const { standardClass } = call.flavour;
  return (
    `<Version>${told}<ETag>${escaped(quoted(call, object))}</ETag><Size>${object.bytes.length}</Size>` +
    `<StorageClass>${standardClass}</StorageClass></Version>`
  );
}
