// Listings over the wire: order, encoding, paging, and the buckets themselves.
import { ListObjectsV2Command, paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseStringPromise } from 'xml2js';
import { OWNER, STRANGER, TestGateway } from '../support/s3-gateway.ts';
import { type RawRequest, sendRaw } from '../support/signed-request.ts';

let gateway: TestGateway;
const send = (request: RawRequest) => sendRaw(gateway.port, request);
const get = (path: string) => send({ path });

async function bucketWith(name: string, keys: readonly string[]): Promise<void> {
  await send({ method: 'PUT', path: `/${name}` });
  for (const key of keys) {
    const encoded = encodeURIComponent(key).replace(
      /[!'()*]/g,
      (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
    );
    const answer = await send({ method: 'PUT', path: `/${name}/${encoded}`, body: key });
    expect(answer.status).toBe(200);
  }
}

/** The texts of all elements of this name. */
function all(text: string, name: string): string[] {
  return [...text.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map(([, inner]) => inner ?? '');
}

beforeAll(async () => {
  gateway = await TestGateway.start();
});
afterAll(() => gateway.close());

test('trap 20: keys come in the order of their UTF-8 bytes', async () => {
  const keys = ['a', 'foo+1/x', 'foo/x', '\uFF5E', '\u{1F600}', 'é', 'Z'];
  await bucketWith('ordered', keys);
  const listed = (await gateway.client().send(new ListObjectsV2Command({ Bucket: 'ordered' }))).Contents;
  expect(listed?.map((object) => object.Key)).toEqual(
    keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
  );
});

test('trap 21: encoding-type=url keeps slashes, and encodes spaces, pluses and control characters', async () => {
  await bucketWith('encoded', ['a b/c+d', 'a b/\u001f', 'ü']);
  const { text } = await get('/encoded?list-type=2&encoding-type=url&prefix=a%20b&start-after=a%20b');
  expect(all(text, 'Key')).toEqual(['a%20b/%1F', 'a%20b/c%2Bd']);
  expect([all(text, 'StartAfter'), all(text, 'EncodingType')]).toEqual([['a%20b'], ['url']]);
  const grouped = await get('/encoded?encoding-type=url&delimiter=%20&marker=%21');
  expect(all(grouped.text, 'Delimiter')).toEqual(['%20']);
  expect(grouped.text).toContain('<CommonPrefixes><Prefix>a%20</Prefix></CommonPrefixes>');
  expect(all(grouped.text, 'Marker')).toEqual(['%21']);
  expect((await get('/encoded?encoding-type=base64')).element('Code')).toBe('InvalidArgument');
});

test('trap 21: without it a listing with a control character is still XML', async () => {
  await bucketWith('control', ['bad\u001fkey', 'good & <key>']);
  const { text } = await get('/control');
  expect(text).toContain('<Key>bad\uFFFDkey</Key>');
  const parsed = await parseStringPromise(text);
  expect(parsed.ListBucketResult.Contents[1].Key).toEqual(['good & <key>']);
});

test('trap 22: KeyCount counts prefixes, a token beats start-after, empty parameters are none', async () => {
  await bucketWith('paged', ['a', 'b/1', 'b/2', 'c']);
  const grouped = await get('/paged?list-type=2&delimiter=%2F&start-after=&prefix=');
  expect([grouped.element('KeyCount'), all(grouped.text, 'Key')]).toEqual(['3', ['a', 'c']]);
  const first = await get('/paged?list-type=2&max-keys=1&delimiter=');
  const token = encodeURIComponent(first.element('NextContinuationToken') ?? '');
  const second = await get(`/paged?list-type=2&max-keys=1&continuation-token=${token}&start-after=c`);
  expect(all(second.text, 'Key')).toEqual(['b/1']);
  const emptyToken = await get('/paged?list-type=2&continuation-token=');
  expect([emptyToken.status, all(emptyToken.text, 'Key').length]).toEqual([200, 4]);
  expect(emptyToken.text).toContain('<ContinuationToken/>');
});

test('trap 22: max-keys=0 is an empty page that is not truncated, nonsense is refused', async () => {
  await bucketWith('max-keys', ['a', 'b']);
  for (const version of ['', 'list-type=2&']) {
    const none = await get(`/max-keys?${version}max-keys=0`);
    expect([all(none.text, 'Key'), none.element('IsTruncated'), none.element('MaxKeys')]).toEqual([[], 'false', '0']);
    for (const bad of ['blah', '-1', '1.5', '99999999999']) {
      const answer = await get(`/max-keys?${version}max-keys=${bad}`);
      expect([answer.status, answer.element('Code')]).toEqual([400, 'InvalidArgument']);
    }
    expect((await get(`/max-keys?${version}max-keys=5000`)).element('MaxKeys')).toBe('1000');
  }
});

test('trap 22: owners are always in V1, in V2 only when asked for', async () => {
  await bucketWith('owners', ['a']);
  expect((await get('/owners')).text).toContain('<Owner><ID>acme</ID><DisplayName>acme</DisplayName></Owner>');
  expect((await get('/owners?list-type=2')).text).not.toContain('<Owner>');
  expect((await get('/owners?list-type=2&fetch-owner=true')).text).toContain('<ID>acme</ID>');
});

test('trap 22: V1 gives a NextMarker only with a delimiter, and both ways lead through every page', async () => {
  await bucketWith('markers', ['a/1', 'a/2', 'b', 'c/1', 'd']);
  expect((await get('/markers?max-keys=1')).element('NextMarker')).toBeUndefined();
  for (const delimiter of ['', '%2F']) {
    const seen: string[] = [];
    let marker = '';
    for (let page = 0; page < 10; page += 1) {
      const answer = await get(`/markers?max-keys=1&delimiter=${delimiter}&marker=${encodeURIComponent(marker)}`);
      const entries = [
        ...all(answer.text, 'Key'),
        ...all(answer.text.replace(/<Prefix\/>|<Prefix><\/Prefix>/g, ''), 'Prefix'),
      ];
      seen.push(...entries);
      if (answer.element('IsTruncated') === 'false') break;
      marker = answer.element('NextMarker') ?? entries.at(-1) ?? '';
    }
    expect(seen).toEqual(delimiter === '' ? ['a/1', 'a/2', 'b', 'c/1', 'd'] : ['a/', 'b', 'c/', 'd']);
  }
});

test('the SDK pages through a listing and finds each key once', async () => {
  const keys = Array.from({ length: 25 }, (_, index) => `k${String(index).padStart(2, '0')}`);
  await bucketWith('sdk-pages', keys);
  const found: (string | undefined)[] = [];
  for await (const page of paginateListObjectsV2({ client: gateway.client(), pageSize: 7 }, { Bucket: 'sdk-pages' })) {
    found.push(...(page.Contents ?? []).map((object) => object.Key));
  }
  expect(found).toEqual(keys);
});

test('versions of an unversioned bucket are its objects, each the null version', async () => {
  await bucketWith('versions', ['a', 'b', 'c/1']);
  const { text } = await get('/versions?versions');
  expect([all(text, 'Key'), all(text, 'VersionId')]).toEqual([
    ['a', 'b', 'c/1'],
    ['null', 'null', 'null'],
  ]);
  const first = await get('/versions?versions&max-keys=1');
  expect([first.element('NextKeyMarker'), first.element('NextVersionIdMarker')]).toEqual(['a', 'null']);
  const second = await get('/versions?versions&max-keys=1&key-marker=a&version-id-marker=null');
  expect(all(second.text, 'Key')).toEqual(['b']);
  const last = await get('/versions?versions&delimiter=%2F&key-marker=b');
  expect([last.text.includes('<Prefix>c/</Prefix>'), last.element('IsTruncated')]).toEqual([true, 'false']);
  expect((await get('/versions?versions&version-id-marker=null')).status).toBe(400);
});

test('a null version is read and deleted by its id, another is not there', async () => {
  await bucketWith('by-version', ['a']);
  expect((await get('/by-version/a?versionId=null')).text).toBe('a');
  expect((await get('/by-version/a?versionId=other')).element('Code')).toBe('NoSuchVersion');
  expect((await get('/by-version/a?versionId=')).element('Code')).toBe('InvalidArgument');
  expect((await send({ method: 'DELETE', path: '/by-version/a?versionId=null' })).status).toBe(204);
  expect((await get('/by-version/a')).status).toBe(404);
});

test('trap 23: buckets are listed by prefix and page, only those of the account', async () => {
  for (const name of ['list-one', 'list-two', 'list-xyz']) await send({ method: 'PUT', path: `/${name}` });
  await send({ method: 'PUT', path: '/list-stranger', credential: STRANGER });
  const first = await get('/?prefix=list-&max-buckets=2');
  expect([all(first.text, 'Name'), first.element('Prefix')]).toEqual([['list-one', 'list-two'], 'list-']);
  const token = encodeURIComponent(first.element('ContinuationToken') ?? '');
  const second = await get(`/?prefix=list-&max-buckets=2&continuation-token=${token}`);
  expect([all(second.text, 'Name'), second.element('ContinuationToken')]).toEqual([['list-xyz'], undefined]);
  expect(first.text).toContain(`<Owner><ID>${OWNER.account}</ID>`);
  const strangers = await send({ path: '/', credential: STRANGER });
  expect(all(strangers.text, 'Name')).toEqual(['list-stranger']);
  for (const bad of ['max-buckets=0', 'max-buckets=10001', 'continuation-token=%21%21']) {
    expect((await get(`/?${bad}`)).element('Code')).toBe('InvalidArgument');
  }
});
