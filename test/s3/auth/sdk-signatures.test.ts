// Requests as the AWS SDK signs them, caught before they are sent: its signer and this one agree on any key and query.
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { Authenticator } from '../../../src/s3/auth/authenticate.ts';
import { credentialList } from '../../../src/s3/auth/credentials.ts';
import type { S3Request } from '../../../src/s3/request.ts';
import { ACCESS_KEY_ID, received, SECRET_ACCESS_KEY } from './signer.ts';

/** The part of the SDK's HttpRequest that a socket would carry. */
interface WireRequest {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | null | readonly (string | null)[]>>;
  readonly headers: Readonly<Record<string, string>>;
}

const caught: S3Request[] = [];
const answer = { statusCode: 200, headers: {}, body: undefined, reason: 'OK' };
const client = new S3Client({
  endpoint: 'http://127.0.0.1:9000',
  region: 'us-east-1',
  forcePathStyle: true,
  credentials: { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET_ACCESS_KEY },
  requestHandler: {
    handle: (request: WireRequest) => {
      caught.push(asReceived(request));
      return Promise.resolve({ response: answer as never });
    },
  },
});
afterAll(() => client.destroy());

const authenticator = new Authenticator(
  {
    credentials: credentialList([
      { name: 'sdk', account: 'sdk', accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET_ACCESS_KEY },
    ]),
    now: () => new Date(),
  },
  { anonymous: [], maxSkewMs: 900_000 },
);

const key = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }).filter((text) => !/^\.{1,2}$/.test(text));
const text = fc.string({ unit: 'grapheme', maxLength: 20 });

test('puts, gets and lists of any key, prefix and token', async () => {
  await fc.assert(
    fc.asyncProperty(key, text, text, async (Key, Prefix, ContinuationToken) => {
      caught.length = 0;
      const Body = Buffer.from('body');
      await client.send(new PutObjectCommand({ Bucket: 'bucket', Key, Body, Metadata: { name: 'a  b' } }));
      await client.send(new ListObjectsV2Command({ Bucket: 'bucket', Prefix, ContinuationToken, Delimiter: '/' }));
      expect(caught.map((request) => authenticator.authenticate(request).identity.name)).toEqual(['sdk', 'sdk']);
    }),
    { numRuns: 50 },
  );
});

test('presigned URLs of any key and response header', async () => {
  await fc.assert(
    fc.asyncProperty(key, text, async (Key, ResponseContentDisposition) => {
      const command = new GetObjectCommand({ Bucket: 'bucket', Key, ResponseContentDisposition });
      const url = new URL(await getSignedUrl(client, command, { expiresIn: 60 }));
      const query = [...url.search.slice(1).split('&')].map((pair) => {
        const [name = '', value = ''] = pair.split('=');
        return [decodeURIComponent(name), decodeURIComponent(value)] as const;
      });
      const request = received({ path: url.pathname, query, headers: { host: url.host } });
      expect(authenticator.authenticate(request)).toMatchObject({
        identity: { name: 'sdk' },
        payload: { kind: 'unsigned' },
      });
    }),
    { numRuns: 50 },
  );
});

function asReceived(request: WireRequest): S3Request {
  const query = Object.entries(request.query ?? {}).flatMap(([name, values]) =>
    [values].flat().map((value) => [name, value ?? ''] as const),
  );
  return received({ method: request.method, path: request.path, query, headers: lowerCase(request.headers) });
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
