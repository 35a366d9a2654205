// What pages of other origins may do with a bucket: what its rules say, told on answers and to preflights.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MemoryBackend } from '../../support/memory-backend.ts';
import { TestGateway } from '../../support/s3-gateway.ts';
import { type RawAnswer, type RawRequest, sendRaw } from '../../support/signed-request.ts';

const RULES = `<CORSConfiguration>
  <CORSRule>
    <ID>readers</ID>
    <AllowedOrigin>https://*.example.com</AllowedOrigin><AllowedOrigin>http://localhost:3000</AllowedOrigin>
    <AllowedMethod>GET</AllowedMethod><AllowedMethod>HEAD</AllowedMethod>
    <AllowedHeader>range</AllowedHeader><AllowedHeader>x-amz-*</AllowedHeader>
    <ExposeHeader>ETag</ExposeHeader><ExposeHeader>x-amz-request-id</ExposeHeader>
    <MaxAgeSeconds>600</MaxAgeSeconds>
  </CORSRule>
  <CORSRule>
    <AllowedOrigin>*</AllowedOrigin><AllowedMethod>PUT</AllowedMethod><AllowedHeader>*</AllowedHeader>
  </CORSRule>
</CORSConfiguration>`;
const PAGE = 'https://www.example.com';

let gateway: TestGateway;
const send = (request: RawRequest) => sendRaw(gateway.port, request);
const preflight = (headers: Record<string, string>, path = '/bucket/key') =>
  send({ method: 'OPTIONS', path, headers, credential: null });

/** Of one answer, what concerns other origins. */
function corsOf({ headers }: RawAnswer): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => /^access-control-|^vary$/.test(name)));
}

beforeAll(async () => {
  gateway = await TestGateway.start({ anonymous: [{ allow: ['read'], buckets: ['bucket'] }] });
  for (const bucket of ['bucket', 'bare']) await send({ method: 'PUT', path: `/${bucket}` });
  await send({ method: 'PUT', path: '/bucket/key', body: 'x' });
  expect((await send({ method: 'PUT', path: '/bucket?cors', body: RULES })).status).toBe(200);
});
afterAll(() => gateway.close());

describe('the rules of a bucket', () => {
  test('are given back as they were put, and are gone when deleted', async () => {
    const put = await send({ method: 'GET', path: '/bucket?cors' });
    expect(put.text.replace(/^.*?(?=<CORSConfiguration)|\s*xmlns="[^"]*"/gs, '').replace(/\s*<\//g, '</')).toBe(
      '<CORSConfiguration><CORSRule><ID>readers</ID><AllowedMethod>GET</AllowedMethod><AllowedMethod>HEAD</AllowedMethod>' +
        '<AllowedOrigin>https://*.example.com</AllowedOrigin><AllowedOrigin>http://localhost:3000</AllowedOrigin>' +
        '<AllowedHeader>range</AllowedHeader><AllowedHeader>x-amz-*</AllowedHeader>' +
        '<ExposeHeader>ETag</ExposeHeader><ExposeHeader>x-amz-request-id</ExposeHeader>' +
        '<MaxAgeSeconds>600</MaxAgeSeconds></CORSRule><CORSRule><AllowedMethod>PUT</AllowedMethod>' +
        '<AllowedOrigin>*</AllowedOrigin><AllowedHeader>*</AllowedHeader></CORSRule></CORSConfiguration>',
    );
    await send({ method: 'PUT', path: '/bare?cors', body: RULES });
    expect((await preflight({ origin: PAGE, 'access-control-request-method': 'GET' }, '/bare')).status).toBe(200);
    expect((await send({ method: 'DELETE', path: '/bare?cors' })).status).toBe(204);
    const gone = await send({ path: '/bare?cors' });
    expect([gone.status, gone.element('Code')]).toEqual([404, 'NoSuchCORSConfiguration']);
    // At once, though rules are remembered for a while.
    expect((await preflight({ origin: PAGE, 'access-control-request-method': 'GET' }, '/bare')).status).toBe(403);
  });

  test('go with the bucket', async () => {
    for (const path of ['/brief', '/brief?cors'])
      await send({ method: 'PUT', path, body: path === '/brief' ? '' : RULES });
    await send({ method: 'DELETE', path: '/brief' });
    await send({ method: 'PUT', path: '/brief' });
    expect((await send({ path: '/brief?cors' })).element('Code')).toBe('NoSuchCORSConfiguration');
    expect((await preflight({ origin: PAGE, 'access-control-request-method': 'GET' }, '/brief')).status).toBe(403);
  });

  const rule = (inner: string) => `<CORSConfiguration><CORSRule>${inner}</CORSRule></CORSConfiguration>`;
  const origin = '<AllowedOrigin>*</AllowedOrigin>';
  const method = '<AllowedMethod>GET</AllowedMethod>';
  test.each([
    ['no rule', '<CORSConfiguration></CORSConfiguration>', 'MalformedXML'],
    ['no origin', rule(method), 'MalformedXML'],
    ['no method', rule(origin), 'MalformedXML'],
    ['a method that pages have not', rule(`${origin}<AllowedMethod>PATCH</AllowedMethod>`), 'InvalidRequest'],
    ['two wildcards', rule(`<AllowedOrigin>*.*</AllowedOrigin>${method}`), 'InvalidRequest'],
    ['a wildcard to expose', rule(`${origin}${method}<ExposeHeader>x-*</ExposeHeader>`), 'InvalidRequest'],
    ['a line break in a header', rule(`${origin}${method}<ExposeHeader>a&#13;&#10;b</ExposeHeader>`), 'MalformedXML'],
    ['an age that is none', rule(`${origin}${method}<MaxAgeSeconds>-1</MaxAgeSeconds>`), 'MalformedXML'],
    [
      'two ages',
      rule(`${origin}${method}<MaxAgeSeconds>1</MaxAgeSeconds><MaxAgeSeconds>2</MaxAgeSeconds>`),
      'MalformedXML',
    ],
    ['an element nobody knows', rule(`${origin}${method}<AllowedPath>*</AllowedPath>`), 'MalformedXML'],
    ['an ID too long', rule(`<ID>${'x'.repeat(256)}</ID>${origin}${method}`), 'MalformedXML'],
    [
      'too many rules',
      `<CORSConfiguration>${`<CORSRule>${origin}${method}</CORSRule>`.repeat(101)}</CORSConfiguration>`,
      'MalformedXML',
    ],
    ['another document', '<Tagging/>', 'MalformedXML'],
    ['no document', '', 'MalformedXML'],
  ])('with %s are refused', async (_, body, code) => {
    const answer = await send({ method: 'PUT', path: '/bare?cors', body });
    expect([answer.status, answer.element('Code')]).toEqual([400, code]);
  });

  test('are refused where the backend keeps no settings of buckets', async () => {
    const backend = Object.defineProperty(new MemoryBackend(), 'bucketDocuments', { value: undefined });
    await using plain = await closing(TestGateway.start({ backend }));
    await sendRaw(plain.gateway.port, { method: 'PUT', path: '/bucket' });
    const answer = await sendRaw(plain.gateway.port, { method: 'PUT', path: '/bucket?cors', body: RULES });
    expect([answer.status, answer.element('Code')]).toEqual([501, 'NotImplemented']);
    expect((await sendRaw(plain.gateway.port, { path: '/bucket?cors' })).element('Code')).toBe(
      'NoSuchCORSConfiguration',
    );
  });
});

async function closing(starting: Promise<TestGateway>) {
  const started = await starting;
  return { gateway: started, [Symbol.asyncDispose]: () => started.close() };
}

describe('answers to pages', () => {
  test.each([
    ['of an allowed origin', PAGE],
    ['of another', 'http://localhost:3000'],
  ])('%s tell that they may be read', async (_, origin) => {
    expect(corsOf(await send({ path: '/bucket/key', headers: { origin } }))).toEqual({
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'GET, HEAD',
      'access-control-expose-headers': 'ETag, x-amz-request-id',
      'access-control-max-age': '600',
      vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
    });
  });

  test('also errors do, or no page could tell what went wrong', async () => {
    const answer = await send({ path: '/bucket/missing', headers: { origin: PAGE } });
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([404, PAGE]);
  });

  test('a rule for everybody names nobody, and lets no cookies through', async () => {
    const answer = await send({ method: 'PUT', path: '/bucket/put', body: 'x', headers: { origin: 'null' } });
    expect(corsOf(answer)).toMatchObject({ 'access-control-allow-origin': '*', 'access-control-allow-methods': 'PUT' });
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
  });

  test.each([
    ['of another origin', 'GET', '/bucket/key', 'https://example.com'],
    ['for another method', 'DELETE', '/bucket/none', PAGE],
    ['about a bucket without rules', 'GET', '/bare', PAGE],
    ['about no bucket', 'GET', '/', PAGE],
  ])('those %s say nothing', async (_, method, path, origin) => {
    expect(corsOf(await send({ method, path, headers: { origin } }))).toEqual({});
  });

  test('no page, no word', async () => {
    expect(corsOf(await send({ path: '/bucket/key' }))).toEqual({});
  });
});

describe('a preflight', () => {
  test('is answered without a signature, with what is allowed', async () => {
    const answer = await preflight({
      origin: PAGE,
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'Range, X-Amz-Date',
    });
    expect([answer.status, answer.text]).toEqual([200, '']);
    expect(corsOf(answer)).toMatchObject({
      'access-control-allow-origin': PAGE,
      'access-control-allow-methods': 'GET, HEAD',
      'access-control-allow-headers': 'range, x-amz-date',
      'access-control-max-age': '600',
    });
  });

  test.each([
    ['of another origin', { origin: 'https://example.org', 'access-control-request-method': 'GET' }, '/bucket/key'],
    ['for another method', { origin: PAGE, 'access-control-request-method': 'DELETE' }, '/bucket/key'],
    [
      'for a header not allowed',
      { origin: PAGE, 'access-control-request-method': 'GET', 'access-control-request-headers': 'range, cookie' },
      '/bucket/key',
    ],
    ['about a bucket without rules', { origin: PAGE, 'access-control-request-method': 'GET' }, '/bare/key'],
    ['about no such bucket', { origin: PAGE, 'access-control-request-method': 'GET' }, '/no-such-bucket'],
  ] as [string, Record<string, string>, string][])('%s is refused', async (_, headers, path) => {
    const answer = await preflight(headers, path);
    expect([answer.status, answer.element('Code')]).toEqual([403, 'AccessForbidden']);
    expect(corsOf(answer)).toEqual({});
  });

  test.each([
    ['no origin', { 'access-control-request-method': 'GET' }],
    ['no method', { origin: PAGE }],
  ] as [string, Record<string, string>][])('with %s is no preflight', async (_, headers) => {
    const answer = await preflight(headers);
    expect([answer.status, answer.element('Code')]).toEqual([400, 'BadRequest']);
  });

  test('is counted by its own name', async () => {
    await preflight({ origin: PAGE, 'access-control-request-method': 'GET' }, '/bucket/counted');
    const event = await gateway.finished(({ key }) => key === 'counted');
    expect([event.operation, event.status]).toEqual(['Preflight', 200]);
  });
});
