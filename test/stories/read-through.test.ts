// A gateway in front of an S3 origin (another gateway on a directory), as a client sees it through the AWS SDK.
import { randomBytes } from 'node:crypto';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway, type TestGateway } from '../support/gateway.ts';

const MIB = 1024 * 1024;
const Bucket = 'models';
let origin: TestGateway;
let gateway: TestGateway;
let direct: S3Client;
let s3: S3Client;

beforeAll(async () => {
  origin = await startGateway();
  gateway = await startGateway({ config: inFrontOf(origin) });
  [direct, s3] = [client(origin), client(gateway)];
  await s3.send(new CreateBucketCommand({ Bucket }));
});

afterAll(async () => {
  for (const each of [direct, s3]) each.destroy();
  await gateway.close();
  await origin.close();
});

test('what was written through the gateway is read without reading the origin', async () => {
  const Body = randomBytes(9 * MIB);
  await s3.send(new PutObjectCommand({ Bucket, Key: 'written', Body }));
  const before = await originBytes();
  const { bytes, headers } = await get('written');
  expect(bytes.equals(Body)).toBe(true);
  expect(headers['x-dfstore-source']).toMatch(/^(memory|disk)$/);
  expect(await originBytes()).toBe(before);
});

test('a cold object is read from the origin once, then from here, and each range of it', async () => {
  const Body = randomBytes(10 * MIB);
  await direct.send(new PutObjectCommand({ Bucket, Key: 'cold', Body }));
  const before = await originBytes();
  const [one, two] = await Promise.all([get('cold'), get('cold')]);
  expect(one.bytes.equals(Body) && two.bytes.equals(Body)).toBe(true);
  expect(one.headers['x-dfstore-source']).toBe('origin');
  const range = await get('cold', 'bytes=5000000-5000099');
  expect(range.bytes.equals(Body.subarray(5_000_000, 5_000_100))).toBe(true);
  expect((await originBytes()) - before).toBe(Body.length);
});

test('a change made at the origin is seen by the next read', async () => {
  await direct.send(new PutObjectCommand({ Bucket, Key: 'changing', Body: 'first' }));
  expect((await get('changing')).bytes.toString()).toBe('first');
  await direct.send(new PutObjectCommand({ Bucket, Key: 'changing', Body: 'second' }));
  expect((await get('changing')).bytes.toString()).toBe('second');
  await direct.send(new DeleteObjectCommand({ Bucket, Key: 'changing' }));
  await expect(get('changing')).rejects.toMatchObject({ name: 'NoSuchKey' });
});

test('metadata that alone changed is seen, and the bytes are not read again', async () => {
  const CopySource = `${Bucket}/tagged`;
  await direct.send(new PutObjectCommand({ Bucket, Key: 'tagged', Body: randomBytes(MIB), Metadata: { a: '1' } }));
  await get('tagged');
  const before = await originBytes();
  const copy = { Bucket, Key: 'tagged', CopySource, MetadataDirective: 'REPLACE', Metadata: { a: '2' } } as const;
  await direct.send(new CopyObjectCommand(copy));
  expect((await get('tagged')).metadata).toEqual({ a: '2' });
  expect((await s3.send(new HeadObjectCommand({ Bucket, Key: 'tagged' }))).Metadata).toEqual({ a: '2' });
  expect(await originBytes()).toBe(before);
});

test('overwritten, copied over and deleted through the gateway, nothing old is served', async () => {
  for (const Body of ['one', 'two', 'three']) {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'often', Body }));
    expect((await get('often')).bytes.toString()).toBe(Body);
  }
  await s3.send(new PutObjectCommand({ Bucket, Key: 'source', Body: 'copied' }));
  await s3.send(new CopyObjectCommand({ Bucket, Key: 'often', CopySource: `${Bucket}/source` }));
  expect((await get('often')).bytes.toString()).toBe('copied');
  await s3.send(new DeleteObjectCommand({ Bucket, Key: 'often' }));
  await expect(get('often')).rejects.toMatchObject({ name: 'NoSuchKey' });
});

test('the cache is there again after a restart', async () => {
  const Body = randomBytes(6 * MIB);
  await direct.send(new PutObjectCommand({ Bucket, Key: 'kept', Body }));
  await get('kept');
  const before = await originBytes();
  await gateway.restart();
  expect((await get('kept')).bytes.equals(Body)).toBe(true);
  expect((await originBytes()) - before).toBeLessThanOrEqual(0);
});

async function get(Key: string, Range?: string) {
  const answer = await s3.send(new GetObjectCommand({ Bucket, Key, ...(Range && { Range }) }));
  const bytes = Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
  const raw = answer.$metadata as { httpHeaders?: Record<string, string> };
  return { bytes, metadata: answer.Metadata, headers: lastHeaders.get(s3) ?? raw.httpHeaders ?? {} };
}

/** Bytes this gateway has read from its origin since it was started. */
async function originBytes(): Promise<number> {
  const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  return Number(/^dfstore_origin_read_bytes_total (\d+)$/m.exec(text)?.[1]);
}

const lastHeaders = new WeakMap<S3Client, Record<string, string>>();

function client({ s3Url, accessKeyId, secretAccessKey }: TestGateway): S3Client {
  const made = new S3Client({
    endpoint: s3Url,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  made.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const { headers } = result.response as { headers: Record<string, string> };
      lastHeaders.set(made, headers);
      return result;
    },
    { step: 'deserialize' },
  );
  return made;
}

function inFrontOf({ s3Url, accessKeyId, secretAccessKey }: TestGateway) {
  return {
    backends: {
      main: { type: 's3', endpoint: s3Url, region: 'us-east-1', pathStyle: true, accessKeyId, secretAccessKey },
    },
  };
}
