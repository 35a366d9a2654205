// Uploads by forms that browsers post: what their policies allow, who they count as, and how they are answered.
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Fields,
  type FormParts,
  formRequest,
  type PolicyTerms,
  signedFields,
  signedFieldsV2,
} from '../../support/posted-form.ts';
import { RawConnection } from '../../support/raw-connection.ts';
import { OWNER, STRANGER, TestGateway } from '../../support/s3-gateway.ts';
import { type RawAnswer, sendRaw } from '../../support/signed-request.ts';

let gateway: TestGateway;
const FILE = { content: 'the file' };
const ANY: PolicyTerms = { conditions: [{ bucket: 'bucket' }, ['starts-with', '$key', '']] };

const post = (parts: FormParts, path = '/bucket') => sendRaw(gateway.port, formRequest(path, parts));
const read = (key: string): Promise<RawAnswer> => sendRaw(gateway.port, { path: `/bucket/${key}` });

beforeAll(async () => {
  gateway = await TestGateway.start({
    allowSigV2: true,
    anonymous: [{ allow: ['write'], buckets: ['dropbox'] }],
    form: { maxFormBytes: 4096, maxFormFields: 20, wholeFormBytes: 16 * 1024 },
  });
  for (const bucket of ['bucket', 'dropbox']) {
    expect((await sendRaw(gateway.port, { method: 'PUT', path: `/${bucket}` })).status).toBe(200);
  }
});
afterAll(() => gateway.close());

describe('a form that its policy allows', () => {
  test.each([
    ['Version 4', signedFields],
    ['Version 2', signedFieldsV2],
  ])('signed by %s is stored under its key, with what its fields say of it', async (_, sign) => {
    const terms = {
      conditions: [
        { bucket: 'bucket' },
        ['eq', '$key', 'holiday/sea.jpg'],
        ['starts-with', '$Content-Type', 'image/'],
        { 'x-amz-meta-place': 'Málaga' },
      ],
    };
    const answer = await post({
      fields: [
        ['key', 'holiday/sea.jpg'],
        ['Content-Type', 'image/jpeg'],
        ['x-amz-meta-place', 'Málaga'],
        ...sign(terms),
      ],
      file: FILE,
    });
    expect([answer.status, answer.text]).toEqual([204, '']);
    const md5 = createHash('md5').update(FILE.content).digest('hex');
    expect(answer.headers).toMatchObject({ etag: `"${md5}"`, location: `${gateway.url}/bucket/holiday/sea.jpg` });
    const stored = await read('holiday/sea.jpg');
    expect([stored.text, stored.headers['content-type']]).toEqual([FILE.content, 'image/jpeg']);
    expect(Buffer.from(stored.headers['x-amz-meta-place'] ?? '', 'latin1').toString()).toBe('Málaga');
  });

  test('that the SDK presigns is taken', async () => {
    const { url, fields } = await createPresignedPost(gateway.client(), {
      Bucket: 'bucket',
      Key: 'by-sdk',
      Conditions: [['content-length-range', 1, 100]],
      Fields: { success_action_status: '201' },
    });
    expect(new URL(url).pathname).toBe('/bucket');
    const answer = await post({ fields: Object.entries(fields), file: FILE });
    expect([answer.status, answer.element('Key'), answer.element('Bucket')]).toEqual([201, 'by-sdk', 'bucket']);
    expect(answer.element('Location')).toBe(`${gateway.url}/bucket/by-sdk`);
    expect(answer.headers.etag).toBe(answer.element('ETag')?.replaceAll('&quot;', '"'));
    expect((await read('by-sdk')).text).toBe(FILE.content);
  });

  test("may put the file's own name into its key", async () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what forms say, to the letter
    const fields: Fields = [['key', 'from/${filename}'], ...signedFields(ANY)];
    await post({ fields, file: { ...FILE, name: 'C:\\Photos\\sea$&.jpg' } });
    expect((await read('from/sea$&.jpg')).text).toBe(FILE.content);
  });

  test('may be a large one, which streams', async () => {
    const content = randomBytes(3 * 1024 * 1024 + 17);
    const fields: Fields = [['key', 'large'], ...signedFields(ANY)];
    expect((await post({ fields, file: { content } })).status).toBe(204);
    expect((await read('large')).body.equals(content)).toBe(true);
  });

  test('may have a button behind its file while it is small', async () => {
    const parts = {
      fields: [['key', 'button'], ...signedFields(ANY)] as Fields,
      after: [['submit', 'Send']] as Fields,
    };
    expect((await post({ ...parts, file: FILE })).status).toBe(204);
    expect((await read('button')).text).toBe(FILE.content);
    const large = await post({ ...parts, file: { content: randomBytes(64 * 1024) } });
    expect([large.status, large.element('Code')]).toEqual([400, 'MalformedPOSTRequest']);
  });

  test('may carry tags and a checksum', async () => {
    const tags = '<Tagging><TagSet><Tag><Key>a b</Key><Value>c=d+e</Value></Tag></TagSet></Tagging>';
    const checksum = createHash('sha256').update(FILE.content).digest('base64');
    const fields: Fields = [
      ['key', 'tagged'],
      ['tagging', tags],
      ['x-amz-checksum-sha256', checksum],
    ];
    const signed = signedFields({ conditions: [...ANY.conditions, ['starts-with', '$tagging', '']] });
    const answer = await post({ fields: [...fields, ...signed], file: FILE });
    expect([answer.status, answer.text, answer.headers['x-amz-checksum-sha256']]).toEqual([204, '', checksum]);
    const tagging = await sendRaw(gateway.port, { path: '/bucket/tagged?tagging' });
    expect([tagging.element('Key'), tagging.element('Value')]).toEqual(['a b', 'c=d+e']);
    const wrong = await post({
      fields: [['key', 'wrong'], ['x-amz-checksum-sha256', checksum], ...signedFields(ANY)],
      file: { content: 'another file' },
    });
    expect([wrong.status, wrong.element('Code')]).toEqual([400, 'BadDigest']);
    expect((await read('wrong')).status).toBe(404);
  });
});

describe('the answer', () => {
  const send = (more: Fields, conditions: unknown[] = []) =>
    post({
      fields: [['key', 'a key'], ...more, ...signedFields({ conditions: [...ANY.conditions, ...conditions] })],
      file: FILE,
    });

  test.each([
    ['200', 200],
    ['204', 204],
    ['404', 204],
  ])('is the status that success_action_status=%s asks for: %i', async (asked, status) => {
    const answer = await send([['success_action_status', asked]], [{ success_action_status: asked }]);
    expect([answer.status, answer.text]).toEqual([status, '']);
  });

  test('is a redirect that tells what was stored', async () => {
    const to = 'http://example.com/done?a=b';
    const answer = await send([['success_action_redirect', to]], [['eq', '$success_action_redirect', to]]);
    expect([answer.status, answer.text]).toEqual([303, '']);
    const location = new URL(answer.headers.location ?? '');
    expect([location.host, ...location.searchParams]).toEqual([
      'example.com',
      ['a', 'b'],
      ['bucket', 'bucket'],
      ['key', 'a key'],
      ['etag', answer.headers.etag],
    ]);
  });

  test.each(['javascript:alert(1)', '/elsewhere', 'http://'])('is never a redirect to %s', async (to) => {
    const answer = await send([['success_action_redirect', to]], [['eq', '$success_action_redirect', to]]);
    expect([answer.status, answer.headers.location]).toEqual([204, `${gateway.url}/bucket/a%20key`]);
  });
});

describe('a form that its policy does not allow', () => {
  test.each([
    ['expired', { ...ANY, expiresInMs: -1 }, [], 403, 'AccessDenied'],
    ['for another bucket', { conditions: [{ bucket: 'other' }, ['starts-with', '$key', '']] }, [], 403, 'AccessDenied'],
    [
      'for another key',
      { conditions: [{ bucket: 'bucket' }, ['starts-with', '$key', 'his/']] },
      [],
      403,
      'AccessDenied',
    ],
    ['that says nothing of a field', ANY, [['x-amz-meta-a', 'b']], 403, 'AccessDenied'],
    [
      'that wants a field the form lacks',
      { conditions: [...ANY.conditions, { acl: 'private' }] },
      [],
      403,
      'AccessDenied',
    ],
    [
      'for larger files',
      { conditions: [...ANY.conditions, ['content-length-range', 9, 99]] },
      [],
      400,
      'EntityTooSmall',
    ],
    [
      'for smaller files',
      { conditions: [...ANY.conditions, ['content-length-range', 0, 7]] },
      [],
      400,
      'EntityTooLarge',
    ],
    ['without an expiration', { ...ANY, expiration: null }, [], 400, 'InvalidPolicyDocument'],
    ['that expires on no date', { ...ANY, expiration: 'soon' }, [], 400, 'InvalidPolicyDocument'],
    [
      'with a condition of a kind nobody knows',
      { conditions: [['like', '$key', 'x']] },
      [],
      400,
      'InvalidPolicyDocument',
    ],
    ['with a range of one size', { conditions: [['content-length-range', 1]] }, [], 400, 'InvalidPolicyDocument'],
    ['with a range that is none', { conditions: [['content-length-range', -1, 5]] }, [], 400, 'InvalidPolicyDocument'],
    ['with two fields in one condition', { conditions: [{ a: 'b', c: 'd' }] }, [], 400, 'InvalidPolicyDocument'],
  ] as [string, PolicyTerms, Fields, number, string][])('%s stores nothing', async (_, terms, more, status, code) => {
    const answer = await post({ fields: [['key', 'refused'], ...more, ...signedFields(terms)], file: FILE });
    expect([answer.status, answer.element('Code')]).toEqual([status, code]);
    expect((await read('refused')).status).toBe(404);
  });

  test('without x-ignore-* fields in it may still have them', async () => {
    const fields: Fields = [['key', 'ignored'], ['x-ignore-this', 'yes'], ...signedFields(ANY)];
    expect((await post({ fields, file: FILE })).status).toBe(204);
  });

  test.each([
    ['no base64', '***'],
    ['no JSON', Buffer.from('{"expiration":').toString('base64')],
    ['no document', Buffer.from('"text"').toString('base64')],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22]).toString('base64')],
    ['no conditions', Buffer.from('{"expiration":"2100-01-01T00:00:00Z"}').toString('base64')],
  ])('a policy that is %s is refused though its signature is right', async (_, policy) => {
    const fields = signedFields(ANY).filter(([name]) => name !== 'policy' && name !== 'x-amz-signature');
    const answer = await post({ fields: [['key', 'k'], ...fields, ...resigned(policy, fields)], file: FILE });
    expect([answer.status, answer.element('Code')]).toEqual([400, 'InvalidPolicyDocument']);
  });
});

/** The signature that OWNER would make over whatever the policy is. */
function resigned(policy: string, fields: Fields): Fields {
  const [, date = '', region = '', service = '', end = ''] =
    fields.find(([name]) => name === 'x-amz-credential')?.[1].split('/') ?? [];
  const key = [date, region, service, end].reduce<Buffer>(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    Buffer.from(`AWS4${OWNER.secretAccessKey}`),
  );
  const signature = createHmac('sha256', key).update(policy).digest('hex');
  return [
    ['policy', policy],
    ['x-amz-signature', signature],
  ];
}

describe('who a form counts as', () => {
  test('nobody, without a policy: what anonymous may do, it may', async () => {
    const fields: Fields = [['key', 'anonymous']];
    expect((await post({ fields, file: FILE }, '/dropbox')).status).toBe(204);
    const refused = await post({ fields, file: FILE });
    expect([refused.status, refused.element('Code')]).toEqual([403, 'AccessDenied']);
  });

  test('its signer, whose rights are asked: a stranger signs in vain', async () => {
    const answer = await post({ fields: [['key', 'k'], ...signedFields(ANY, STRANGER)], file: FILE });
    expect([answer.status, answer.element('Code')]).toEqual([403, 'AccessDenied']);
  });

  test.each([
    ['a signature of other words', 'x-amz-signature', 'f'.repeat(64), 403, 'SignatureDoesNotMatch'],
    ['an access key nobody has', 'x-amz-credential', 'NOBODY/20260101/us-east-1/s3/aws4_request', 403, undefined],
    ['no credential', 'x-amz-credential', '', 400, 'InvalidArgument'],
    ['no date', 'x-amz-date', 'today', 400, 'InvalidArgument'],
    ['another algorithm', 'x-amz-algorithm', 'AWS4-HMAC-MD5', 400, 'InvalidArgument'],
  ])('%s is refused', async (_, field, value, status, code) => {
    const fields = signedFields(ANY).map(([name, given]) => [name, name === field ? value : given] as const);
    const answer = await post({ fields: [['key', 'k'], ...fields], file: FILE });
    if (code !== undefined) expect([answer.status, answer.element('Code')]).toEqual([status, code]);
    else expect([400, 403]).toContain(answer.status);
  });
});

describe('what is no form', () => {
  test.each([
    ['no Content-Type', undefined, 412, 'PreconditionFailed'],
    ['another Content-Type', 'application/x-www-form-urlencoded', 412, 'PreconditionFailed'],
    ['no boundary', 'multipart/form-data', 400, 'MalformedPOSTRequest'],
  ])('with %s is refused', async (_, type, status, code) => {
    const request = { ...formRequest('/bucket', { fields: [['key', 'k']], file: FILE }) };
    const headers = type === undefined ? {} : { 'content-type': type };
    const answer = await sendRaw(gateway.port, { ...request, headers });
    expect([answer.status, answer.element('Code')]).toEqual([status, code]);
  });

  test.each([
    ['no file', { fields: [['key', 'k']] }, 'IncorrectNumberOfFilesInPostRequest'],
    ['no key', { fields: [['x-ignore-a', 'b']], file: FILE }, 'InvalidArgument'],
    [
      'the same field twice',
      {
        fields: [
          ['key', 'k'],
          ['Key', 'j'],
        ],
        file: FILE,
      },
      'InvalidArgument',
    ],
    ['too many fields', { fields: manyFields(21), file: FILE }, 'MaxPostPreDataLengthExceeded'],
    ['too long a field', { fields: [['key', 'k'.repeat(5000)]], file: FILE }, 'MaxPostPreDataLengthExceeded'],
    ['a key of NUL', { fields: [['key', 'a\0b']], file: FILE }, 'InvalidArgument'],
  ] as [string, FormParts, string][])('a form with %s is refused', async (_, parts, code) => {
    const answer = await post(parts);
    expect([answer.status, answer.element('Code')]).toEqual([400, code]);
  });

  test('a form of unknown length is refused', async () => {
    const request = formRequest('/bucket', { fields: [['key', 'k']], file: FILE });
    const headers = { ...request.headers, 'transfer-encoding': 'chunked' };
    const answer = await sendRaw(gateway.port, { ...request, headers });
    expect([answer.status, answer.element('Code')]).toEqual([411, 'MissingContentLength']);
  });

  test.each([100, 1000, 50_000])('one whose connection breaks after %i bytes stores nothing', async (bytes) => {
    const key = `broken-${bytes}`;
    const { headers = {}, body = '' } = formRequest('/bucket', {
      fields: [['key', key], ...signedFields(ANY)],
      file: { content: randomBytes(100_000) },
    });
    const before = new Set(gateway.events);
    const client = await RawConnection.open(gateway.port);
    const head = `POST /bucket HTTP/1.1\r\nHost: a\r\nContent-Type: ${headers['content-type']}\r\nContent-Length: ${body.length}\r\n\r\n`;
    client.send(head + Buffer.from(body).toString('latin1', 0, bytes));
    client.socket.end();
    await client.closed;
    await gateway.finished((event) => event.operation === 'PostObject' && !before.has(event));
    expect((await read(key)).status).toBe(404);
    expect(gateway.inFlight).toBe(0);
  });
});

function manyFields(count: number): Fields {
  return Array.from({ length: count }, (_, index) => [`x-ignore-${index}`, 'x']);
}
