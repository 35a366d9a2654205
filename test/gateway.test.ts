// A whole gateway in this process: what its parts promise together.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  CreateBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../src/config/load-config.ts';
import { openGateway } from '../src/gateway.ts';
import { startGateway, type TestGateway } from './support/gateway.ts';
import { RawConnection, sendRaw } from './support/raw-connection.ts';
import { testClient } from './support/test-client.ts';

const Bucket = 'bucket';

function portOf(url: string): number {
  return Number(new URL(url).port);
}

async function clientOf(gateway: TestGateway) {
  const s3 = testClient(gateway);
  onTestFinished(() => s3.destroy());
  await s3.send(new CreateBucketCommand({ Bucket }));
  return s3;
}

/** An upload whose last bytes never come, until its client is told to leave. */
async function hangingUpload(gateway: TestGateway): Promise<{ leave: () => void; ended: Promise<unknown> }> {
  const s3 = testClient(gateway);
  const abort = new AbortController();
  const Body = new Readable({ read: () => undefined });
  Body.push('half of it');
  const ended = s3
    .send(new PutObjectCommand({ Bucket, Key: 'hanging', Body, ContentLength: 20 }), { abortSignal: abort.signal })
    .then(
      () => 'stored',
      (error: unknown) => error,
    )
    .finally(() => s3.destroy());
  await expect.poll(async () => (await statusOf(gateway)).requestsInFlight).toBe(1);
  return { leave: () => abort.abort(), ended };
}

async function statusOf(gateway: TestGateway): Promise<Record<string, unknown>> {
  return (await (await fetch(`${gateway.adminUrl}/status`)).json()) as Record<string, unknown>;
}

describe('limits', () => {
  test.each(['requests', 'requestsPerKey'])(
    'past limits.%s a client is told to slow down, and served later',
    async (limit) => {
      await using gateway = await startGateway({ config: { limits: { [limit]: 1 } } });
      const s3 = await clientOf(gateway);
      const upload = await hangingUpload(gateway);
      const refused = await s3.send(new HeadObjectCommand({ Bucket, Key: 'a' })).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(S3ServiceException);
      const { $metadata, $response } = refused as S3ServiceException;
      expect($metadata.httpStatusCode).toBe(503);
      expect($response?.headers['retry-after']).toBe('1');
      upload.leave();
      await upload.ended;
      await expect.poll(async () => (await statusOf(gateway)).requestsInFlight).toBe(0);
      await s3.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'a' }));
      expect((await statusOf(gateway)).limited).toEqual({ [limit]: 1 });
    },
  );

  test('an upload that stalls is ended with RequestTimeout, and nothing of it is stored', async () => {
    await using gateway = await startGateway({ config: { limits: { bodyTimeout: '300ms' } } });
    const s3 = await clientOf(gateway);
    const upload = await hangingUpload(gateway);
    expect(await upload.ended).toMatchObject({ name: 'RequestTimeout' });
    await expect(s3.send(new HeadObjectCommand({ Bucket, Key: 'hanging' }))).rejects.toMatchObject({
      name: 'NotFound',
    });
    await expect.poll(async () => (await statusOf(gateway)).requestsInFlight).toBe(0);
  });

  test('1,000 keys of 1,024 bytes fit the limit of XML', async () => {
    await using gateway = await startGateway();
    const s3 = await clientOf(gateway);
    const Objects = Array.from({ length: 1_000 }, (_, index) => ({ Key: String(index).padStart(1_024, 'k') }));
    const { Deleted } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(Deleted).toHaveLength(1_000);
  });

  test('10 MiB of XML is refused', async () => {
    await using gateway = await startGateway();
    const s3 = await clientOf(gateway);
    const Objects = Array.from({ length: 1_000 }, (_, index) => ({ Key: String(index).padStart(10_500, 'x') }));
    await expect(s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))).rejects.toMatchObject({
      name: 'MaxMessageLengthExceeded',
    });
  });

  test('a flood of headers is answered in XML over https too, and plain http there is cut', async () => {
    await using gateway = await startGateway({ tls: true });
    const port = portOf(gateway.s3Url);
    const client = await RawConnection.open(port, { ca: readFileSync(gateway.caFile ?? '') });
    client.send(`GET / HTTP/1.1\r\nHost: localhost\r\nX-Flood: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect(await client.rest()).toMatch(/^HTTP\/1.1 400 (.|\s)*<Code>RequestHeaderSectionTooLarge<\/Code>/);
    expect(await sendRaw(port, 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')).not.toContain('HTTP/1.1 2');
  });
});

describe('what is told', () => {
  test('a request is counted by operation, an origin by what it was asked and gave', async () => {
    await using gateway = await startGateway();
    const s3 = await clientOf(gateway);
    await s3.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'twelve bytes' }));
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'a' }));
    expect(await got.Body?.transformToString()).toBe('twelve bytes');
    const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
    expect(metrics).toContain('dfstore_s3_requests_total{operation="GetObject",status="200"} 1\n');
    expect(metrics).toContain('dfstore_origin_requests_total{operation="read"} 1\n');
    expect(metrics).toContain('dfstore_origin_read_bytes_total 12\n');
    expect(metrics).toMatch(/dfstore_served_bytes_total\{source="origin"\} [1-9]/);
    const status = await statusOf(gateway);
    expect(status).toMatchObject({
      phase: 'serving',
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      originReadBytes: 12,
      requests: { CreateBucket: 1, PutObject: 1, GetObject: 1 },
      backends: { local: { type: 'fs' } },
    });
    expect(JSON.stringify(status)).not.toContain(gateway.secretAccessKey);
  });

  test('a gateway whose origin does not answer serves all the same, and says which one fails', async () => {
    await using gateway = await startGateway({
      config: {
        backends: {
          local: { type: 'fs', root: join(tmpdir(), `dfstore-origin-${process.pid}`) },
          far: { type: 'http', endpoint: 'http://127.0.0.1:1/', retries: 0, password: 'hidden' },
        },
        buckets: { far: { backend: 'far' }, '*': { backend: 'local' } },
      },
    });
    await expect.poll(async () => (await fetch(`${gateway.adminUrl}/readyz`)).status).toBe(200);
    const status = await statusOf(gateway);
    expect(status.backends).toMatchObject({
      local: { lastCheck: { ok: true } },
      far: { lastCheck: { ok: false }, password: '(redacted)' },
    });
    const s3 = await clientOf(gateway);
    await s3.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'a' }));
    await expect(s3.send(new GetObjectCommand({ Bucket: 'far', Key: 'a' }))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 503 },
    });
  });

  test('a request without a signature is refused', async () => {
    await using gateway = await startGateway();
    const answer = await fetch(`${gateway.s3Url}/${Bucket}/a`);
    expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining('<Code>AccessDenied</Code>')]);
  });
});

describe('opening and closing', () => {
  const silent = { log: pino({ level: 'silent' }), onFirstPair: () => undefined };

  test('a port that is taken is named with its setting, and everything opened before is closed again', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void taken.close());
    await expect.poll(() => taken.listening).toBe(true);
    const { port } = taken.address() as { port: number };
    await using gateway = await startGateway();
    await gateway.close();
    const base = { data: gateway.dataDir, 'admin.listen': '127.0.0.1:0' };
    const open = (listen: string) => openGateway(loadConfig({ env: {}, flags: { ...base, listen } }).config, silent);
    await expect(open(`127.0.0.1:${port}`)).rejects.toThrow(`Cannot listen on 127.0.0.1:${port} (setting listen)`);
    // The directory is locked by whoever has it open.
    const next = await open('127.0.0.1:0');
    await next.close();
  });

  test('a backend that cannot be opened is named', async () => {
    const flags = {
      backends: '{ broken: { type: obs, endpoint: "http://10.0.0.1", accessKeyId: a, secretAccessKey: b } }',
      listen: '127.0.0.1:0',
      'admin.listen': '127.0.0.1:0',
      data: join(tmpdir(), `dfstore-broken-${process.pid}`),
    };
    await expect(openGateway(loadConfig({ env: {}, flags }).config, silent)).rejects.toThrow(
      "Backend 'broken' cannot be opened: ",
    );
  });

  test('closing twice is closing once', async () => {
    const gateway = await startGateway();
    await Promise.all([gateway.close(), gateway.close()]);
    await expect(fetch(`${gateway.adminUrl}/healthz`)).rejects.toThrow();
  });
});
