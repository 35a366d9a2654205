// A backend of every kind over a server of its own, each with one bucket that holds one object: for what has to hold of
// all of them alike.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { Backend } from '../../backends/backend.ts';
import { openFsBackend } from '../../backends/fs.ts';
import { openHttpBackend } from '../../backends/http.ts';
import { openObsBackend } from '../../backends/obs.ts';
import { openOssBackend } from '../../backends/oss.ts';
import { openS3Backend } from '../../backends/s3.ts';
import { openWebHdfsBackend } from '../../backends/webhdfs.ts';
import { startGateway } from './gateway.ts';
import { MisbehavingServer } from './misbehaving-server.ts';
import { ProtocolServer } from './object-protocol/protocol-server.ts';
import { testClient } from './test-client.ts';
import { uploadBody } from './upload-body.ts';
import { WebHdfsServer } from './webhdfs-server.ts';

export const BACKEND_KINDS = ['fs', 's3', 'oss', 'obs', 'http', 'webhdfs'] as const;
export type BackendKind = (typeof BACKEND_KINDS)[number];

export const BUCKET = 'objects';
export const KEY = 'folder/object';
export const BYTES = Buffer.from('the bytes of the one object');

export interface OpenedBackend {
  readonly backend: Backend;
  close(): Promise<void>;
}

const OPEN: Readonly<Record<BackendKind, () => Promise<OpenedBackend>>> = {
  fs: openOnDirectory,
  s3: openOnGateway,
  oss: () => openOnProtocol('oss'),
  obs: () => openOnProtocol('obs'),
  http: openOnFileServer,
  webhdfs: openOnHdfs,
};

export function openBackendOf(kind: BackendKind): Promise<OpenedBackend> {
  return OPEN[kind]();
}

async function openOnDirectory(): Promise<OpenedBackend> {
  const root = await mkdtemp(join(tmpdir(), 'dfstore-every-'));
  const backend = await openFsBackend({ root, reserveBytes: 0 });
  await seed(backend, 'acme');
  const remove = () => rm(root, { recursive: true });
  return { backend, close: () => backend.close().then(remove) };
}

async function openOnGateway(): Promise<OpenedBackend> {
  const origin = await startGateway();
  const client = testClient(origin);
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: KEY, Body: BYTES }));
  client.destroy();
  const { s3Url: endpoint, accessKeyId, secretAccessKey } = origin;
  const backend = openS3Backend({ endpoint, accessKeyId, secretAccessKey, pathStyle: true });
  return { backend, close: () => backend.close().then(() => origin.close()) };
}

async function openOnProtocol(flavour: 'oss' | 'obs'): Promise<OpenedBackend> {
  const server = await ProtocolServer.start({ flavour });
  const { accessKeyId, secret } = server.credentials;
  const common = { endpoint: server.endpoint, accessKeyId, lookup: server.lookup };
  const backend =
    flavour === 'oss'
      ? await openOssBackend({ ...common, region: `oss-${server.region}`, accessKeySecret: secret })
      : await openObsBackend({ ...common, secretAccessKey: secret });
  await seed(backend, 'acme');
  return { backend, close: () => backend.close().then(() => server.close()) };
}

async function openOnFileServer(): Promise<OpenedBackend> {
  const server = await MisbehavingServer.start(({ method, url }, response) => {
    if (url !== `/${KEY}`) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      etag: '"one"',
      'last-modified': new Date(0).toUTCString(),
      'content-length': BYTES.length,
    });
    response.end(method === 'HEAD' ? undefined : BYTES);
  });
  const backend = await openHttpBackend({ endpoint: server.url, bucket: BUCKET });
  return { backend, close: () => backend.close().then(() => server.close()) };
}

async function openOnHdfs(): Promise<OpenedBackend> {
  const server = await WebHdfsServer.start();
  server.write(`/${KEY}`, BYTES);
  const backend = await openWebHdfsBackend({ namenodes: server.namenodes, bucket: BUCKET, user: 'reader' });
  return { backend, close: () => backend.close().then(() => server.close()) };
}

async function seed(backend: Backend, owner: string): Promise<void> {
  const { signal } = new AbortController();
  await backend.buckets?.create(BUCKET, { owner }, signal);
  await backend.put?.({ bucket: BUCKET, key: KEY }, uploadBody(BYTES), { headers: {}, metadata: {} }, signal);
}
