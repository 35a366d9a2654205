// A gateway whose S3 origin stands behind a proxy that misbehaves, beside origins that cannot be reached at all and one
// that is well: for stories of what clients get while an origin fails, and of what it has stored then.
import { randomBytes } from 'node:crypto';
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { generate } from 'selfsigned';
import { askGateway, type ClientOutcome } from './client-outcome.ts';
import { FaultyProxy, type ProxyFault } from './faulty-proxy.ts';
import { freePort } from './free-port.ts';
import { startGateway, type TestGateway } from './gateway.ts';
import { LogLines } from './log-lines.ts';
import type { FaultedOperation } from './origin-fault-table.ts';
import { testClient } from './test-client.ts';

/** As small as tests need them; what they are by default is in docs/BACKENDS.md. */
export const LIMITS = { connectTimeout: 500, idleTimeout: 400, retries: 1, retryDelay: 10 } as const;
const OPEN_AFTER = 3;
export const BUCKET = 'objects';
/** Behind the same proxy, with a circuit that opens. */
export const BREAKER_BUCKET = 'breaker';
const WELL_BUCKET = 'well';
const WELL = 'from a directory that is well';

export const BYTES = randomBytes(1024 * 1024);

/** What an operation is at the origin; others that it may take beside (how an upload was begun) pass. */
const METHODS: Readonly<Record<FaultedOperation, readonly string[]>> = {
  GetObject: ['GET', 'HEAD'],
  PutObject: ['PUT'],
  UploadPart: ['PUT'],
  CompleteMultipartUpload: ['POST'],
};

export class OriginWorld {
  readonly log: LogLines;
  readonly gateway: TestGateway;
  readonly proxy: FaultyProxy;
  /** Straight to the origin, past the proxy. */
  readonly direct: S3Client;
  readonly #closers: readonly (() => Promise<void>)[];

  private constructor(
    log: LogLines,
    opened: { gateway: TestGateway; proxy: FaultyProxy; direct: S3Client },
    closers: readonly (() => Promise<void>)[],
  ) {
    this.log = log;
    this.gateway = opened.gateway;
    this.proxy = opened.proxy;
    this.direct = opened.direct;
    this.#closers = closers;
  }

  static async open(config: Readonly<Record<string, unknown>> = {}): Promise<OriginWorld> {
    const log = new LogLines();
    const origin = await startGateway();
    const proxy = await FaultyProxy.start({ originUrl: origin.s3Url });
    const untrusted = await FaultyProxy.start({ originUrl: origin.s3Url, tls: await selfSigned() });
    const gateway = await startGateway({
      log: log.logger,
      config: { ...originConfig(origin, { proxy, untrusted, refusedPort: await freePort() }), ...config },
    });
    const direct = testClient(origin);
    const world = new OriginWorld(log, { gateway, proxy, direct }, [
      () => gateway.close(),
      () => proxy.close(),
      () => untrusted.close(),
      () => origin.close(),
    ]);
    await direct.send(new CreateBucketCommand({ Bucket: BUCKET }));
    await world.makeWell();
    return world;
  }

  async close(): Promise<void> {
    this.direct.destroy();
    for (const close of this.#closers) await close();
  }

  ask(method: string, path: string, body: Buffer | string = ''): Promise<ClientOutcome> {
    return askGateway(this.gateway, { method, path, body });
  }

  /** Rejects unless the origin in the directory is served as if nothing were wrong. */
  async serveOthers(): Promise<void> {
    const { status, body } = await this.ask('GET', `/${WELL_BUCKET}/object`);
    if (status !== 200 || body.toString() !== WELL) throw new Error(`The bucket of the other origin got ${status}.`);
  }

  /** One fault after another, each for one request of the operation on the key; the last one stays. */
  fail(operation: FaultedOperation, key: string, faults: readonly ProxyFault[]): void {
    const when = ({ method = '', url = '' }: { method?: string | undefined; url?: string | undefined }) =>
      METHODS[operation].includes(method) && url.startsWith(`/${BUCKET}/${key}`);
    this.proxy.misbehave(
      ...faults.map((fault, index) => ({ fault, when, ...(index < faults.length - 1 && { times: 1 }) })),
    );
  }

  /** What there is to be before the operation, made at the origin; returns the operation itself. */
  async prepare(operation: FaultedOperation, Key: string): Promise<() => Promise<ClientOutcome>> {
    const path = `/${BUCKET}/${Key}`;
    if (operation === 'GetObject') {
      await this.direct.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: BYTES }));
      return () => this.ask('GET', path);
    }
    if (operation === 'PutObject') return () => this.ask('PUT', path, BYTES);
    const upload = { Bucket: BUCKET, Key };
    const { UploadId } = await this.direct.send(new CreateMultipartUploadCommand(upload));
    if (operation === 'UploadPart') return () => this.ask('PUT', `${path}?partNumber=1&uploadId=${UploadId}`, BYTES);
    const part = { ...upload, UploadId, PartNumber: 1, Body: BYTES };
    const { ETag } = await this.direct.send(new UploadPartCommand(part));
    const document = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${ETag}</ETag></Part></CompleteMultipartUpload>`;
    return () => this.ask('POST', `${path}?uploadId=${UploadId}`, document);
  }

  /** The object as the origin has it now. */
  async stored(Key: string): Promise<Buffer | undefined> {
    const { Contents = [] } = await this.direct.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: Key }));
    if (Contents.length === 0) return undefined;
    const { Body } = await this.direct.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  }

  /** Sizes of the parts of the key's one upload. */
  async storedParts(Key: string): Promise<(number | undefined)[]> {
    const { Uploads = [] } = await this.direct.send(new ListMultipartUploadsCommand({ Bucket: BUCKET, Prefix: Key }));
    const UploadId = Uploads[0]?.UploadId;
    const { Parts = [] } = await this.direct.send(new ListPartsCommand({ Bucket: BUCKET, Key, UploadId }));
    return Parts.map(({ Size }) => Size);
  }

  private async makeWell(): Promise<void> {
    await this.ask('PUT', `/${WELL_BUCKET}`);
    await this.ask('PUT', `/${WELL_BUCKET}/object`, WELL);
  }
}

function originConfig(
  origin: TestGateway,
  at: { proxy: FaultyProxy; untrusted: FaultyProxy; refusedPort: number },
): Record<string, unknown> {
  const { accessKeyId, secretAccessKey } = origin;
  const milliseconds = (name: keyof typeof LIMITS) => `${LIMITS[name]}ms`;
  const s3 = (endpoint: string, failuresToOpen = 1_000) => ({
    type: 's3',
    endpoint,
    pathStyle: true,
    accessKeyId,
    secretAccessKey,
    connectTimeout: milliseconds('connectTimeout'),
    idleTimeout: milliseconds('idleTimeout'),
    retries: LIMITS.retries,
    retryDelay: milliseconds('retryDelay'),
    failuresToOpen,
    openTime: '200ms',
  });
  return {
    backends: {
      far: s3(at.proxy.url),
      'far-breaker': s3(at.proxy.url, OPEN_AFTER),
      'far-nowhere': s3('http://origin.invalid'),
      'far-untrusted': s3(at.untrusted.url),
      'far-refused': s3(`http://127.0.0.1:${at.refusedPort}`),
      near: { type: 'fs', root: `${origin.dataDir}-near` },
    },
    buckets: {
      [BUCKET]: { backend: 'far' },
      [BREAKER_BUCKET]: { backend: 'far-breaker', bucket: BUCKET },
      nowhere: { backend: 'far-nowhere' },
      untrusted: { backend: 'far-untrusted' },
      refused: { backend: 'far-refused' },
      '*': { backend: 'near' },
    },
    // Checks of backends would close circuits, and be counted by the proxy, in the middle of a test.
    admin: { checkInterval: '1h' },
  };
}

async function selfSigned(): Promise<{ key: string; cert: string }> {
  const made = await generate([{ name: 'commonName', value: '127.0.0.1' }], { keyType: 'ec' });
  return { key: made.private, cert: made.cert };
}
