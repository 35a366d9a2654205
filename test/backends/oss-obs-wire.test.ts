// What crosses the line to OSS and OBS: certificates, signatures with tokens, names and texts that SDKs get wrong.
import { createHash } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { generate } from 'selfsigned';
import { afterEach, describe, expect, test } from 'vitest';
import type { Backend, PutOptions } from '../../backends/backend.ts';
import { openObsBackend } from '../../backends/obs.ts';
import { openOssBackend } from '../../backends/oss.ts';
import { ProtocolServer, type ProtocolServerOptions } from '../support/object-protocol/protocol-server.ts';
import { uploadBody } from '../support/upload-body.ts';

const BUCKET = 'wire';
const { signal } = new AbortController();
const code = (expected: string) => expect.objectContaining({ name: 'BackendError', code: expected });

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function open(flavour: 'oss' | 'obs', options: Partial<ProtocolServerOptions> = {}, ca?: string) {
  const server = await ProtocolServer.start({ flavour, ...options });
  server.bucket(BUCKET);
  const { accessKeyId, secret, token } = server.credentials;
  const net = { lookup: server.lookup, endpoint: server.endpoint, accessKeyId, ca };
  const backend =
    flavour === 'oss'
      ? await openOssBackend({ ...net, region: `oss-${server.region}`, accessKeySecret: secret, stsToken: token })
      : await openObsBackend({ ...net, secretAccessKey: secret, securityToken: token });
  closers.push(
    () => backend.close(),
    () => server.close(),
  );
  return { server, backend };
}

async function put(backend: Backend, key: string, content: string, options: Partial<PutOptions> = {}) {
  if (backend.put === undefined) throw new Error('The backend cannot put.');
  const body = uploadBody(Buffer.from(content));
  return backend.put({ bucket: BUCKET, key }, body, { headers: {}, metadata: {}, ...options }, signal);
}

const read = async (backend: Backend, key: string) =>
  text((await backend.read({ bucket: BUCKET, key }, {}, signal)).body);

describe.each(['oss', 'obs'] as const)('%s', (flavour) => {
  test('temporary credentials send their token, signed', async () => {
    const credentials = { accessKeyId: 'temporary', secret: 's', token: 'a-session-token' };
    const { server, backend } = await open(flavour, { credentials });
    await put(backend, 'object', 'content');
    expect(await read(backend, 'object')).toBe('content');
    expect(server.seen.at(-1)?.headers[`x-${flavour}-security-token`]).toBe('a-session-token');
  });

  test('a certificate must be trusted and be for the host that was asked', async () => {
    const tls = await certificate(`*.${flavour}.test`);
    const trusted = await open(flavour, { tls }, tls.cert);
    await put(trusted.backend, 'object', 'content');
    expect(await read(trusted.backend, 'object')).toBe('content');

    const untrusted = await open(flavour, { tls });
    await expect(untrusted.backend.headBucket(BUCKET, signal)).rejects.toEqual(code('Unavailable'));
    expect(untrusted.server.seen).toEqual([]);

    const others = await certificate('*.elsewhere.test');
    const misnamed = await open(flavour, { tls: others }, others.cert);
    await expect(misnamed.backend.headBucket(BUCKET, signal)).rejects.toEqual(code('Unavailable'));
    expect(misnamed.server.seen).toEqual([]);
  });

  test('keys with dot segments, escapes and signs are other keys than what they fold to', async () => {
    const { server, backend } = await open(flavour);
    const keys = ['a/../b', './a', 'a//b', 'a%2Fb', 'a+b c', "quo'te!(*)", 'ünï/код', 'x?y#z&w=v', 'a\nb\tc', '~-_.'];
    for (const key of keys) await put(backend, key, key);
    expect([...server.bucket(BUCKET).objects.keys()].sort()).toEqual([...keys].sort());
    for (const key of keys) expect(await read(backend, key)).toBe(key);
    const page = await backend.list(BUCKET, { maxEntries: 100 }, signal);
    expect(page.objects.map(({ key }) => key).sort()).toEqual([...keys].sort());
  });

  test('a batch deletes keys with markup, and one by one those that XML cannot carry', async () => {
    const { server, backend } = await open(flavour);
    const keys = ['<a>&"b"', 'plain', ' spaced ', 'control\u0001', 'line\r\nend'];
    for (const key of keys) await put(backend, key, 'x');
    const targets = [...keys, 'was-never-there'].map((key) => ({ key }));
    const outcomes = await backend.deleteMany?.(BUCKET, targets, signal);
    expect(outcomes?.map(({ key, error }) => [key, error])).toEqual(targets.map(({ key }) => [key, undefined]));
    expect(server.bucket(BUCKET).objects.size).toBe(0);
    expect(server.seen.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  test('metadata and headers come back as they were, in any alphabet', async () => {
    const { backend } = await open(flavour);
    const metadata = { plain: 'x y', empty: '', text: 'Größe 大小', padded: ' x ', lookalike: '=?UTF-8?B?eA==?=' };
    const headers = {
      contentType: 'text/x-any; charset=utf-8',
      cacheControl: 'max-age=1',
      contentDisposition: 'attachment; filename="größe"',
      contentLanguage: 'de',
      expires: 'Thu, 01 Dec 2033 16:00:00 GMT',
    };
    const options = { metadata, headers, storageClass: 'STANDARD_IA', tags: { 'a b': 'c&d' } };
    // Empty, sent at once, and large enough to be asked for first: heads leave by different ways.
    for (const content of ['', 'x', 'x'.repeat(1_500_000)]) {
      await put(backend, 'object.json', content, options);
      const { info } = await backend.head({ bucket: BUCKET, key: 'object.json' }, {}, signal);
      expect(info).toMatchObject({ metadata, headers, storageClass: 'STANDARD_IA', tagCount: 1 });
    }
  });

  test('an object without a content type gets S3’s default, not one guessed from its key', async () => {
    const { backend } = await open(flavour);
    await put(backend, 'page.html', 'x');
    const { info } = await backend.head({ bucket: BUCKET, key: 'page.html' }, {}, signal);
    expect(info.headers).toEqual({ contentType: 'binary/octet-stream' });
  });

  test('a body goes out as it is, whatever its bytes', async () => {
    const { server, backend } = await open(flavour);
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    await backend.put?.({ bucket: BUCKET, key: 'bytes' }, uploadBody(bytes), { headers: {}, metadata: {} }, signal);
    expect(server.bucket(BUCKET).objects.get('bytes')?.bytes.equals(bytes)).toBe(true);
  });

  test('a bucket name the service cannot have is no bucket', async () => {
    const { server, backend } = await open(flavour);
    expect(await backend.headBucket('No_Such.Name', signal)).toBeUndefined();
    await expect(backend.list('evil.test/x', { maxEntries: 1 }, signal)).rejects.toEqual(code('InvalidBucketName'));
    expect(server.seen).toEqual([]);
  });

  test('a bucket that is deleted takes its pending uploads along', async () => {
    const { server, backend } = await open(flavour);
    await backend.multipart?.createUpload({ bucket: BUCKET, key: 'k' }, { headers: {}, metadata: {} }, signal);
    await backend.buckets?.delete(BUCKET, signal);
    expect(server.buckets.has(BUCKET)).toBe(false);
  });
});

test('OSS etags are lower-case outward and upper-case towards OSS, which compares them as they are', async () => {
  const { server, backend } = await open('oss');
  const ref = { bucket: BUCKET, key: 'object' };
  const { etag } = await put(backend, 'object', 'content');
  expect(etag).toBe(createHash('md5').update('content').digest('hex'));
  await backend.read(ref, { conditions: { ifMatch: [etag] } }, signal).then(({ body }) => body.destroy());
  expect(server.seen.at(-1)?.headers['if-match']).toBe(`"${etag.toUpperCase()}"`);
  const unchanged = backend.read(ref, { conditions: { ifNoneMatch: [etag] } }, signal);
  await expect(unchanged).rejects.toEqual(code('NotModified'));
});

test('keys that OSS refuses are InvalidArgument without asking it', async () => {
  const { server, backend } = await open('oss');
  for (const key of ['/leading', '\\leading']) {
    await expect(put(backend, key, 'x')).rejects.toEqual(code('InvalidArgument'));
    await expect(backend.head({ bucket: BUCKET, key }, {}, signal)).rejects.toEqual(code('InvalidArgument'));
  }
  await expect(put(backend, 'k'.repeat(1_024), 'x')).rejects.toEqual(code('KeyTooLong'));
  expect(server.seen).toEqual([]);
});

test('bytes changed between OSS and here fail the read before its last chunk', async () => {
  const { server, backend } = await open('oss');
  await put(backend, 'object', 'the content');
  server.fail({ kind: 'corrupt' });
  await expect(read(backend, 'object')).rejects.toEqual(code('Internal'));
});

test('bytes changed between here and OSS fail the put, and what was stored is withdrawn', async () => {
  const { server, backend } = await open('oss');
  server.fail({ kind: 'corrupt' });
  await expect(put(backend, 'object', 'the content')).rejects.toEqual(code('Internal'));
  expect(server.bucket(BUCKET).objects.size).toBe(0);
});

test('OSS lets one of many creators win', async () => {
  const { backend } = await open('oss');
  const attempts = Array.from({ length: 8 }, (_, index) =>
    put(backend, 'object', String(index), { conditions: { ifNoneMatch: '*' } }),
  );
  const outcomes = await Promise.allSettled(attempts);
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') expect(outcome.reason).toEqual(code('PreconditionFailed'));
  }
});

test('within one gateway OBS creators and swappers do not overtake each other', async () => {
  const { backend } = await open('obs');
  const { etag } = await put(backend, 'object', 'first');
  const attempts = Array.from({ length: 8 }, (_, index) =>
    put(backend, 'object', String(index), { conditions: { ifMatch: etag } }),
  );
  const outcomes = await Promise.allSettled(attempts);
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

test('endpoints that the services cannot have are refused with a reason', async () => {
  const keys = { accessKeyId: 'a', accessKeySecret: 'b', secretAccessKey: 'b' };
  const oss = openOssBackend({ ...keys, region: 'oss-x', endpoint: 'http://127.0.0.1:1' });
  await expect(oss).rejects.toEqual(code('Misconfigured'));
  await expect(openObsBackend({ ...keys, endpoint: 'http://127.0.0.1:1' })).rejects.toEqual(code('Misconfigured'));
  const pathStyle = openObsBackend({ ...keys, endpoint: 'https://obs.test', pathStyle: true });
  await expect(pathStyle).rejects.toEqual(code('Misconfigured'));
});

async function certificate(name: string): Promise<{ key: string; cert: string }> {
  const extensions = [{ name: 'subjectAltName' as const, altNames: [{ type: 2 as const, value: name }] }];
  const made = await generate([{ name: 'commonName', value: name }], { keySize: 2048, extensions });
  return { key: made.private, cert: made.cert };
}
