// An S3 bucket somewhere else as an origin: AWS, or any server that speaks its protocol. This file and the ones in s3/
// are loaded only when a configuration names such an origin, because the SDK costs 20 MB.
import type { LookupFunction } from 'node:net';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { type Backend, BackendError, type Capabilities } from './backend.ts';
import { hideSecrets } from './net/hide-secrets.ts';
import { createIdleAgents, type IdleAgentOptions } from './net/idle-agents.ts';
import { headBucket, S3Buckets } from './s3/buckets.ts';
import { KEY_MAX_BYTES } from './s3/calls.ts';
import { listObjects } from './s3/listing.ts';
import { S3Multipart } from './s3/multipart.ts';
import { headObject, readObject } from './s3/reading.ts';
import { S3RequestHandler } from './s3/request-handler.ts';
import { SentTokens } from './s3/sent-tokens.ts';
import { S3Tagging } from './s3/tagging.ts';
import { CHECKSUM_ALGORITHMS } from './s3/translate.ts';
import { askForChecksums } from './s3/verbatim-headers.ts';
import { S3Versioning } from './s3/versioning.ts';
import { copyObject, deleteObject, deleteObjects, putObject } from './s3/writing.ts';

const MIB = 1024 * 1024;

export interface S3BackendOptions extends Omit<IdleAgentOptions, 'lookup'> {
  /** Absent: AWS, by the region. */
  readonly endpoint?: string | undefined;
  /** Default us-east-1. */
  readonly region?: string | undefined;
  /** Absent: the SDK's default chain (environment, profile, container, instance). */
  readonly accessKeyId?: string | undefined;
  readonly secretAccessKey?: string | undefined;
  readonly sessionToken?: string | undefined;
  /** The bucket in the path rather than in the host name. Default false. */
  readonly pathStyle?: boolean | undefined;
  /** Whether the origin keeps checksums and tells them; servers older than 2022 do not. Default true. */
  readonly checksums?: boolean | undefined;
}

export interface S3BackendDeps {
  /** In place of the system's resolver. */
  readonly lookup?: LookupFunction | undefined;
}

const CAPABILITIES: Capabilities = {
  writable: true,
  list: 'full',
  putIfAbsent: 'atomic',
  putIfMatch: 'atomic',
  userMetadataMaxBytes: 2_048,
  partMinBytes: 5 * MIB,
  putMaxBytes: 5 * 1024 * MIB,
  keyMaxBytes: KEY_MAX_BYTES,
  batchDeleteMax: 1_000,
  checksums: CHECKSUM_ALGORITHMS,
  // Objects encrypted with KMS keys have etags of another kind.
  etag: 'opaque',
  wantsMd5: false,
  encryption: ['server', 'customer'],
};

/** The SDK would write to the console; what it has to say comes back as errors. */
const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

export function openS3Backend(options: S3BackendOptions, deps: S3BackendDeps = {}): Backend {
  const region = options.region ?? 'us-east-1';
  const tokens = new SentTokens();
  const handler = new S3RequestHandler(createIdleAgents({ ...options, lookup: deps.lookup }), tokens);
  const client = new S3Client(clientConfig(options, region, handler));
  askForChecksums(client);
  const buckets = new S3Buckets(client, region);
  const backend: Backend = {
    kind: 's3',
    capabilities: options.checksums === false ? { ...CAPABILITIES, checksums: [] } : CAPABILITIES,
    check: (signal) => checkOrigin(buckets, signal),
    headBucket: (bucket, signal) => headBucket(client, bucket, signal),
    head: (ref, headOptions, signal) => headObject(client, ref, headOptions, signal),
    read: (ref, readOptions, signal) => readObject(client, ref, readOptions, signal),
    list: (bucket, listOptions, signal) => listObjects(client, bucket, listOptions, signal),
    put: (ref, body, putOptions, signal) => putObject(client, ref, body, putOptions, signal),
    delete: (ref, deleteOptions, signal) => deleteObject(client, ref, deleteOptions, signal),
    deleteMany: (bucket, targets, signal) => deleteObjects(client, bucket, targets, signal),
    copy: (source, target, copyOptions, signal) => copyObject(client, source, target, copyOptions, signal),
    multipart: new S3Multipart(client),
    tagging: new S3Tagging(client),
    versioning: new S3Versioning(client),
    buckets,
    close: async () => client.destroy(),
  };
  return hideSecrets(backend, () => tokens.all());
}

function clientConfig(options: S3BackendOptions, region: string, handler: S3RequestHandler): S3ClientConfig {
  const { endpoint, accessKeyId, secretAccessKey, sessionToken } = options;
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined)) {
    throw new BackendError('Misconfigured', 'An S3 origin needs accessKeyId and secretAccessKey together, or neither.');
  }
  return {
    region,
    // The SDK's type for handlers names its own classes; it calls what S3RequestHandler has.
    requestHandler: handler as unknown as NonNullable<S3ClientConfig['requestHandler']>,
    logger: SILENT,
    forcePathStyle: options.pathStyle ?? false,
    followRegionRedirects: false,
    // Retries and their limits are the guard's (net/guard-origin.ts).
    maxAttempts: 1,
    // Unasked checksums break servers older than them; those that clients send are passed on.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(endpoint !== undefined && { endpoint }),
    ...(accessKeyId !== undefined &&
      secretAccessKey !== undefined && {
        credentials: { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) },
      }),
  };
}

/** Keys that may not list buckets prove just as well that the origin answers. */
async function checkOrigin(buckets: S3Buckets, signal: AbortSignal): Promise<void> {
  try {
    await buckets.first(signal);
  } catch (error) {
    if (!(error instanceof BackendError) || error.code !== 'AccessDenied') throw error;
  }
}
