// What a client promises of a body, kept or refused before the last byte is given out.
import { describe, expect, test } from 'vitest';
import type { ChecksumAlgorithm } from '../../../backends/backend.ts';
import { CHECKSUM_ALGORITHMS } from '../../../backends/checksums.ts';
import { openUploadBody, readDocument, stripAwsChunked } from '../../../src/s3/body/upload-body.ts';
import { presigned } from '../auth/signer.ts';
import {
  checksum,
  framed,
  framedUpload,
  hashHex,
  OPTIONS,
  outcome,
  plainUpload,
  type Streaming,
  source,
  upload,
} from './upload.ts';

const BYTES = Buffer.from('Welcome to Amazon S3.');
const OTHER = Buffer.from('Welcome to Amazon S4.');
const UNSIGNED: Streaming = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';
const SIGNED: Streaming = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER';

function header(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

describe('a plain body', () => {
  test('whose every promise is kept comes through whole, with its digests', async () => {
    for (const algorithm of CHECKSUM_ALGORITHMS) {
      const value = checksum(algorithm, BYTES);
      const headers = { 'content-md5': checksum('MD5', BYTES), [header(algorithm)]: value };
      const { given, error, body } = await outcome(plainUpload(BYTES, headers));
      expect(error).toBeUndefined();
      expect(given.toString()).toBe(BYTES.toString());
      expect(body?.sizeBytes).toBe(BYTES.length);
      expect(body?.declared).toMatchObject({ checksum: { algorithm, value, type: 'FULL_OBJECT' } });
      expect(body?.digests().checksum).toEqual({ algorithm, value, type: 'FULL_OBJECT' });
      expect(body?.digests().md5?.toString('hex')).toBe(hashHex('md5', BYTES));
    }
  });

  test('has the MD5 that a backend wants though no client promised one, and no digest that nobody wants', async () => {
    const wanted = await outcome(plainUpload(BYTES), { ...OPTIONS, wantsMd5: true });
    expect(wanted.body?.digests()).toEqual({ md5: Buffer.from(hashHex('md5', BYTES), 'hex'), checksum: undefined });
    expect((await outcome(plainUpload(BYTES))).body?.digests()).toEqual({ md5: undefined, checksum: undefined });
  });

  test('that is empty ends at once, verified', async () => {
    expect((await outcome(plainUpload(Buffer.alloc(0)))).error).toBeUndefined();
    const wrong = plainUpload(Buffer.alloc(0), { 'content-md5': checksum('MD5', OTHER) });
    expect((await outcome(wrong)).error?.code).toBe('BadDigest');
  });

  test('has its digests only once it has ended', () => {
    const { request, payload } = plainUpload(BYTES);
    expect(() => openUploadBody(request, payload, OPTIONS).digests()).toThrow('before the body had ended');
  });

  test.each([
    ['x-amz-content-sha256', hashHex('sha256', OTHER), 'XAmzContentSHA256Mismatch'],
    ['content-md5', checksum('MD5', OTHER), 'BadDigest'],
    ...CHECKSUM_ALGORITHMS.map((algorithm) => [header(algorithm), checksum(algorithm, OTHER), 'BadDigest']),
  ])('trap 4: whose %s is wrong is refused and its last byte never given out', async (name = '', value = '', code) => {
    const { given, error } = await outcome(plainUpload(BYTES, { [name]: value }));
    expect(error?.code).toBe(code);
    expect(given.length).toBeLessThan(BYTES.length);
  });

  test.each([
    ['content-md5', 'not base64 of 16 bytes', 'InvalidDigest'],
    ['content-md5', '', 'InvalidDigest'],
    ['content-md5', checksum('SHA1', BYTES), 'InvalidDigest'],
    ['x-amz-checksum-crc32', checksum('CRC64NVME', BYTES), 'InvalidRequest'],
    ['x-amz-checksum-crc32', `${checksum('CRC32', BYTES)}-2`, 'InvalidRequest'],
    ['x-amz-sdk-checksum-algorithm', 'CRC32', 'InvalidRequest'],
    ['x-amz-trailer', 'x-amz-checksum-crc32', 'MalformedTrailerError'],
  ])('trap 4: with %s: %s is refused before a byte is read', (name = '', value = '', code) => {
    const { request, payload } = plainUpload(BYTES, { [name]: value });
    expect(() => openUploadBody(request, payload, OPTIONS)).toThrow(expect.objectContaining({ code }));
    expect(request.body.readableDidRead).toBe(false);
  });

  test('trap 4: x-amz-sdk-checksum-algorithm has to name the checksum that is there', async () => {
    const crc32 = { 'x-amz-checksum-crc32': checksum('CRC32', BYTES) };
    const named = (name: string) => plainUpload(BYTES, { ...crc32, 'x-amz-sdk-checksum-algorithm': name });
    expect((await outcome(named('crc32'))).error).toBeUndefined();
    for (const name of ['SHA256', 'MD4']) {
      expect((await outcome(named(name))).error).toMatchObject({
        code: 'InvalidRequest',
        message: 'Value for x-amz-sdk-checksum-algorithm header is invalid.',
      });
    }
  });

  test('with two checksums is refused', async () => {
    const two = { [header('CRC32')]: checksum('CRC32', BYTES), [header('SHA1')]: checksum('SHA1', BYTES) };
    expect((await outcome(plainUpload(BYTES, two))).error).toMatchObject({
      code: 'InvalidRequest',
      message: 'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    });
  });

  test('trap 7: without a length is refused', async () => {
    for (const length of [
      {},
      { 'content-length': '-1' },
      { 'content-length': 'x' },
      { 'transfer-encoding': 'chunked' },
    ]) {
      expect((await outcome(upload(length, [BYTES]))).error?.code).toBe('MissingContentLength');
    }
  });

  test('trap 9: the checksum in the query of a presigned URL is verified like a header', async () => {
    const put = (value: string) => {
      const query = [
        ['x-amz-checksum-crc32', value],
        ['x-amz-sdk-checksum-algorithm', 'CRC32'],
      ] as const;
      const headers = { 'content-length': String(BYTES.length) };
      return { request: presigned({ query, headers, body: source([BYTES]) }), payload: { kind: 'unsigned' } as const };
    };
    expect((await outcome(put(checksum('CRC32', BYTES)))).error).toBeUndefined();
    expect((await outcome(put(checksum('CRC32', Buffer.alloc(0))))).error?.code).toBe('BadDigest');
  });

  test('larger than is allowed is refused before a byte is read', async () => {
    const { request, payload } = plainUpload(BYTES);
    const { error } = await outcome({ request, payload }, { ...OPTIONS, maxBytes: BYTES.length - 1 });
    expect(error).toMatchObject({ code: 'EntityTooLarge', details: { ProposedSize: '21', MaxSizeAllowed: '20' } });
    expect(request.body.readableDidRead).toBe(false);
  });

  test('whose connection is lost is refused, with the cause', async () => {
    const body = source([BYTES]);
    body.push(BYTES.subarray(0, 5));
    const { request, payload } = upload({ 'content-length': '100' }, body);
    const { stream } = openUploadBody(request, payload, OPTIONS);
    const refused = expect(stream.toArray()).rejects.toMatchObject({
      code: 'IncompleteBody',
      cause: { message: 'reset' },
    });
    body.destroy(new Error('reset'));
    await refused;
  });
});

describe('a chunked body', () => {
  test('trap 1: has the decoded length it declares', async () => {
    const declaring = (length: string) =>
      framedUpload({ mode: UNSIGNED, chunks: [BYTES], headers: { 'x-amz-decoded-content-length': length } });
    expect((await outcome(declaring('21'))).error).toBeUndefined();
    for (const wrong of ['20', '22', '0'])
      expect((await outcome(declaring(wrong))).error?.code, wrong).toBe('IncompleteBody');
    for (const none of ['', '-1', '1e2']) {
      expect((await outcome(declaring(none))).error?.code, none).toBe('MissingContentLength');
    }
    const { headers, wire } = framed({ mode: UNSIGNED, chunks: [BYTES] });
    const { 'x-amz-decoded-content-length': _, ...without } = headers;
    expect((await outcome(upload({ ...without, 'content-length': '21' }, [wire]))).error?.code).toBe(
      'MissingContentLength',
    );
  });

  test('trap 3: takes any one checksum as its trailer', async () => {
    for (const mode of [UNSIGNED, SIGNED]) {
      for (const algorithm of CHECKSUM_ALGORITHMS) {
        const value = checksum(algorithm, BYTES);
        const right = await outcome(framedUpload({ mode, chunks: [BYTES], trailers: [[header(algorithm), value]] }));
        expect(right.error).toBeUndefined();
        expect(right.body?.declared.checksum).toBeUndefined();
        expect(right.body?.digests().checksum).toEqual({ algorithm, value, type: 'FULL_OBJECT' });

        const wrong = [[header(algorithm), checksum(algorithm, OTHER)]] as const;
        const refused = await outcome(framedUpload({ mode, chunks: [BYTES], trailers: wrong }));
        expect(refused.error?.code).toBe('BadDigest');
        expect(refused.given.length).toBeLessThan(BYTES.length);
      }
    }
  });

  test('trap 3: a trailer of another name than announced is MalformedTrailerError, none at all IncompleteBody', async () => {
    const announcing = (name: string, trailers: [string, string][]) =>
      framedUpload({ mode: UNSIGNED, chunks: [BYTES], trailers, headers: { 'x-amz-trailer': name } });
    const crc32: [string, string] = ['x-amz-checksum-crc32', checksum('CRC32', BYTES)];
    const sha1: [string, string] = ['x-amz-checksum-sha1', checksum('SHA1', BYTES)];
    const code = async (name: string, trailers: [string, string][]) =>
      (await outcome(announcing(name, trailers))).error?.code;
    expect(await code('x-amz-checksum-crc32', [sha1])).toBe('MalformedTrailerError');
    expect(await code('x-amz-checksum-crc32', [crc32, sha1])).toBe('MalformedTrailerError');
    expect(await code('x-amz-checksum-crc32', [crc32, crc32])).toBe('MalformedTrailerError');
    expect(await code('x-amz-checksum-crc32', [])).toBe('IncompleteBody');
    expect(await code('X-Amz-Checksum-CRC32', [crc32])).toBeUndefined();
    expect(await code('x-amz-meta-name', [['x-amz-meta-name', 'x']])).toBe('InvalidRequest');
    expect(await code('x-amz-checksum-crc32,x-amz-checksum-sha1', [crc32, sha1])).toBe('InvalidRequest');
  });

  test('trap 3: a trailer that was not announced is MalformedTrailerError', async () => {
    const { headers, wire } = framed({ mode: UNSIGNED, chunks: [BYTES] });
    const { 'x-amz-trailer': _, ...silent } = headers;
    expect((await outcome(upload(silent, [wire]))).error?.code).toBe('MalformedTrailerError');
  });

  test.each([
    ['a line without a colon', 'x-amz-checksum-crc32\r\n\r\n', 'MalformedTrailerError'],
    ['a line without a name', ':value\r\n\r\n', 'MalformedTrailerError'],
    ['a value that is no CRC32', 'x-amz-checksum-crc32:zzz\r\n\r\n', 'InvalidRequest'],
    ['a composite value', 'x-amz-checksum-crc32:y/Q5Jg==-2\r\n\r\n', 'InvalidRequest'],
    ['no empty line at its end', `x-amz-checksum-crc32:${checksum('CRC32', BYTES)}\r\n`, 'IncompleteBody'],
    ['half a line at its end', `x-amz-checksum-crc32:${checksum('CRC32', BYTES)}`, 'IncompleteBody'],
    ['a line of 2 KiB', `x-amz-checksum-crc32:${'A'.repeat(2048)}\r\n\r\n`, 'IncompleteBody'],
    ['a thousand lines', `${'a:b\r\nc:d\r\n'.repeat(500)}\r\n`, 'MalformedTrailerError'],
    ['bytes behind its end', `x-amz-checksum-crc32:${checksum('CRC32', BYTES)}\r\n\r\nmore`, 'IncompleteBody'],
  ])('trap 3: a trailer section with %s is refused', async (_, section, code) => {
    const headers = {
      'x-amz-content-sha256': UNSIGNED,
      'x-amz-decoded-content-length': String(BYTES.length),
      'x-amz-trailer': 'x-amz-checksum-crc32',
    };
    const wire = Buffer.from(`${BYTES.length.toString(16)}\r\n${BYTES}\r\n0\r\n${section}`);
    const { error, given } = await outcome(upload(headers, [wire]));
    expect(error?.code).toBe(code);
    expect(given.length).toBeLessThan(BYTES.length);
  });

  test('trap 3: unsigned, without a trailer, is legal and gets a CRC64NVME', async () => {
    const { error, body } = await outcome(framedUpload({ mode: UNSIGNED, chunks: [BYTES], trailers: [] }));
    expect(error).toBeUndefined();
    expect(body?.digests().checksum).toMatchObject({
      algorithm: 'CRC64NVME',
      value: checksum('CRC64NVME', BYTES),
    });
  });

  test('trap 3: with a checksum both in a header and as a trailer is refused', async () => {
    const both = { 'x-amz-checksum-crc32': checksum('CRC32', BYTES) };
    const { error } = await outcome(framedUpload({ mode: UNSIGNED, chunks: [BYTES], headers: both }));
    expect(error).toMatchObject({ code: 'InvalidRequest', message: 'Expecting a single x-amz-checksum- header.' });
  });

  test('trap 3: a signed chunk of less than 8 KiB is the last one', async () => {
    const mode = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD';
    const sized = (...sizes: number[]) => framedUpload({ mode, chunks: sizes.map((size) => Buffer.alloc(size, 'a')) });
    expect((await outcome(sized(8192, 8192, 1))).error).toBeUndefined();
    expect((await outcome(sized(1))).error).toBeUndefined();
    const { error, given } = await outcome(sized(8192, 8191, 8192));
    expect(error?.code).toBe('InvalidChunkSizeError');
    expect(given.length).toBeLessThan(8192 + 8191);
  });

  test('that is unsigned may be cut into chunks of single bytes', async () => {
    const bytes = Buffer.alloc(50_000, 'abc');
    const chunks = Array.from(bytes, (byte) => Buffer.from([byte]));
    const { error, given } = await outcome(framedUpload({ mode: UNSIGNED, chunks }));
    expect(error).toBeUndefined();
    expect(given.equals(bytes)).toBe(true);
  });

  test('whose chunks are signed in another order than they come is refused', async () => {
    const mode = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD';
    const chunks = ['a', 'b', 'c'].map((letter) => Buffer.alloc(8192, letter));
    const { headers, wire } = framed({ mode, chunks });
    const lineBytes = `2000;chunk-signature=${'0'.repeat(64)}\r\n`.length;
    const chunkBytes = lineBytes + 8192 + 2;
    const swapped = Buffer.concat([
      wire.subarray(chunkBytes, 2 * chunkBytes),
      wire.subarray(0, chunkBytes),
      wire.subarray(2 * chunkBytes),
    ]);
    expect((await outcome(upload(headers, [wire]))).error).toBeUndefined();
    expect((await outcome(upload(headers, [swapped]))).error?.code).toBe('SignatureDoesNotMatch');
  });

  test('whose signatures belong to another request is refused', async () => {
    const mode = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD';
    const one = framed({ mode, chunks: [BYTES] });
    const other = framed({ mode, chunks: [BYTES], headers: { 'x-amz-meta-other': 'request' } });
    expect((await outcome(upload(other.headers, [one.wire]))).error?.code).toBe('SignatureDoesNotMatch');
  });

  test('signed, that lacks the signature of its trailers, is refused, even where it has none', async () => {
    for (const trailers of [undefined, []]) {
      const { headers, wire } = framed({ mode: SIGNED, chunks: [BYTES], ...(trailers && { trailers }) });
      const unsigned = Buffer.from(wire.toString('latin1').replace(/x-amz-trailer-signature:.*\r\n/, ''), 'latin1');
      expect((await outcome(upload(headers, [wire]))).error).toBeUndefined();
      expect((await outcome(upload(headers, [unsigned]))).error?.code).toBe('IncompleteBody');
    }
  });

  test.each([
    ['no size', '\r\n'],
    ['a sign before the size', '+5\r\nhello\r\n0\r\n\r\n'],
    ['a prefix before the size', '0x5\r\nhello\r\n0\r\n\r\n'],
    ['a size beyond all numbers', `${'f'.repeat(14)}\r\nhello`],
    ['a size that never ends', '0'.repeat(300)],
    ['a line feed alone', '5\nhello\n0\n\n'],
    ['an extension that nobody knows', '5;name=value\r\nhello\r\n0\r\n\r\n'],
    ['more bytes than its size tells', '5\r\nhello!\r\n0\r\n\r\n'],
    ['fewer bytes than its size tells', '6\r\nhello\r\n0\r\n\r\n'],
    ['no last chunk', '5\r\nhello\r\n'],
    ['no end to its last chunk', '5\r\nhello\r\n0\r\n'],
  ])('with %s is refused as IncompleteBody', async (_, wire) => {
    const headers = { 'x-amz-content-sha256': UNSIGNED, 'x-amz-decoded-content-length': '5' };
    const { error, given } = await outcome(upload(headers, [Buffer.from(wire)]));
    expect(error?.code).toBe('IncompleteBody');
    expect(given.length).toBeLessThan(5);
  });
});

describe('a document', () => {
  test('is read whole, under the same promises', async () => {
    const { request, payload } = plainUpload(BYTES, { 'content-md5': checksum('MD5', BYTES) });
    expect((await readDocument(request, payload, 100)).toString()).toBe(BYTES.toString());
    const wrong = plainUpload(BYTES, { 'content-md5': checksum('MD5', OTHER) });
    await expect(readDocument(wrong.request, wrong.payload, 100)).rejects.toMatchObject({ code: 'BadDigest' });
    const chunked = framedUpload({ mode: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD', chunks: [BYTES] });
    expect((await readDocument(chunked.request, chunked.payload, 100)).toString()).toBe(BYTES.toString());
  });

  test('larger than the limit is refused before a byte is read', async () => {
    const { request, payload } = plainUpload(BYTES);
    await expect(readDocument(request, payload, 20)).rejects.toMatchObject({
      code: 'MaxMessageLengthExceeded',
      details: { MaxMessageLengthBytes: '20' },
    });
    expect(request.body.readableDidRead).toBe(false);
  });

  test('is empty where there is no body, and needs a length where there is one', async () => {
    const { request, payload } = upload({});
    expect(await readDocument(request, payload, 20)).toHaveLength(0);
    const chunked = upload({ 'transfer-encoding': 'chunked' }, [BYTES]);
    await expect(readDocument(chunked.request, chunked.payload, 100)).rejects.toMatchObject({
      code: 'MissingContentLength',
    });
  });

  test('trap 3: with an unsigned trailer is refused', async () => {
    const { request, payload } = framedUpload({ mode: UNSIGNED, chunks: [BYTES] });
    await expect(readDocument(request, payload, 100)).rejects.toMatchObject({ code: 'InvalidRequest' });
  });
});

test('trap 2: aws-chunked is taken off Content-Encoding, and nothing else is', () => {
  const cases: [string | undefined, string | undefined][] = [
    [undefined, undefined],
    ['aws-chunked', undefined],
    ['AWS-Chunked', undefined],
    ['gzip, aws-chunked', 'gzip'],
    ['aws-chunked,gzip', 'gzip'],
    ['deflate, aws-chunked, gzip', 'deflate, gzip'],
    ['deflate,  gzip', 'deflate,  gzip'],
    ['gzip', 'gzip'],
    ['', ''],
  ];
  expect(cases.map(([given]) => stripAwsChunked(given))).toEqual(cases.map(([, kept]) => kept));
});
