// An S3 client for a gateway under test.
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { S3Client } from '@aws-sdk/client-s3';

export interface ClientTarget {
  readonly s3Url: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly caFile?: string;
}

/** One attempt: tests look at what the gateway answers, not at what a retry makes of it. */
export function testClient({ s3Url, accessKeyId, secretAccessKey, caFile }: ClientTarget): S3Client {
  return new S3Client({
    endpoint: s3Url,
    region: 'us-east-1',
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId, secretAccessKey },
    ...(caFile !== undefined && { requestHandler: { httpsAgent: new Agent({ ca: readFileSync(caFile) }) } }),
  });
}
