// AWS SDK for JavaScript v3 with its default settings, over http and https: CRC32 on every upload, streams as trailers.
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { describe, expect, test } from 'vitest';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { BIG_BYTES, makeSampleFiles } from './support/sample-files.ts';

const Bucket = 'sdk-story';

describe('AWS SDK v3', () => {
  for (const scheme of ['http', 'https'] as const) {
    test(`tells the whole story over ${scheme}`, { timeout: 180_000 }, async () => {
      await using gateway = await startGateway({ tls: scheme === 'https' });
      const files = await makeSampleFiles();
      const s3 = await client(gateway);
      await s3.send(new CreateBucketCommand({ Bucket }));

      const Metadata = { author: 'ada', city: 'z\u00fcrich' };
      await s3.send(
        new PutObjectCommand({ Bucket, Key: 'docs/small.txt', Body: 'hello', Metadata: { author: 'ada' } }),
      );
      expect((await s3.send(new HeadObjectCommand({ Bucket, Key: 'docs/small.txt' }))).Metadata).toEqual({
        author: Metadata.author,
      });
      const small = await s3.send(new GetObjectCommand({ Bucket, Key: 'docs/small.txt' }));
      expect(await small.Body?.transformToString()).toBe('hello');

      const Body = createReadStream(files.big);
      await new Upload({ client: s3, params: { Bucket, Key: 'big.bin', Body } }).done();
      await s3.send(new CopyObjectCommand({ Bucket, Key: 'copies/big.bin', CopySource: `${Bucket}/big.bin` }));
      const big = await s3.send(new GetObjectCommand({ Bucket, Key: 'copies/big.bin' }));
      expect(Buffer.from((await big.Body?.transformToByteArray()) ?? []).equals(await readFile(files.big))).toBe(true);
      const Range = `bytes=${BIG_BYTES - 10}-`;
      const tail = await s3.send(new GetObjectCommand({ Bucket, Key: 'big.bin', Range }));
      expect(await tail.Body?.transformToByteArray()).toEqual(
        new Uint8Array((await readFile(files.big)).subarray(-10)),
      );

      const page = await s3.send(new ListObjectsV2Command({ Bucket, Delimiter: '/' }));
      expect(page.Contents?.map((object) => object.Key)).toEqual(['big.bin']);
      expect(page.CommonPrefixes?.map((prefix) => prefix.Prefix)).toEqual(['copies/', 'docs/']);

      if (scheme === 'http') {
        const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: 'docs/small.txt' }), { expiresIn: 60 });
        expect(await (await fetch(url)).text()).toBe('hello');
      }

      const Objects = ['big.bin', 'copies/big.bin', 'docs/small.txt', 'never-there'].map((Key) => ({ Key }));
      const gone = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
      expect(gone.Deleted).toHaveLength(4);
      await s3.send(new DeleteBucketCommand({ Bucket }));
      s3.destroy();
      await files.remove();
    });
  }
});

async function client(gateway: TestGateway): Promise<S3Client> {
  const { accessKeyId, secretAccessKey } = gateway;
  const ca = gateway.caFile === undefined ? undefined : await readFile(gateway.caFile);
  return new S3Client({
    endpoint: gateway.s3Url,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    ...(ca && { requestHandler: { httpsAgent: new Agent({ ca }) } }),
  });
}
