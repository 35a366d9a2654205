// What every origin on a network is wrapped in: a cap on requests and bytes in flight, a circuit that fails fast when
// the origin is down, and a few retries of what can be repeated safely. Requests with a body, and those whose repetition
// would do something else than the first (copy, create, complete), are sent once. A read is retried until its answer
// begins; from then on its body is the caller's to resume.
import type {
  Backend,
  BucketDocuments,
  Buckets,
  Multipart,
  ObjectRead,
  ReadOptions,
  Tagging,
  UploadBody,
  Versioning,
} from '../backend.ts';
import { Circuit } from './circuit.ts';
import { type Clock, systemClock } from './clock.ts';
import { meteredBody } from './metered-body.ts';
import { OriginGate } from './origin-gate.ts';
import { Slots } from './slots.ts';
import { TokenBucket } from './token-bucket.ts';

export interface OriginLimits {
  /** After the first attempt. Default 2. */
  readonly retries?: number | undefined;
  /** The first pause between attempts, about; later ones grow, all are jittered. Default 100. */
  readonly retryDelayMs?: number | undefined;
  /** Default 2,000. */
  readonly maxRetryDelayMs?: number | undefined;
  /** Failures in a row that open the circuit. Default 5. */
  readonly failuresToOpen?: number | undefined;
  /** The first time the circuit stays open; it doubles with each failed probe. Default 1,000. */
  readonly openMs?: number | undefined;
  /** Default 30,000. */
  readonly maxOpenMs?: number | undefined;
  /** Requests in flight, read bodies included. Default 256. */
  readonly maxInFlight?: number | undefined;
  /** Requests that wait for a slot; more are refused with SlowDown. Default 1,024. */
  readonly maxQueued?: number | undefined;
  /** Both directions together. Absent: unlimited. */
  readonly bytesPerSecond?: number | undefined;
}

/** A slice of pino's. */
export interface OriginLog {
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
}

export interface GuardDeps {
  /** The operator's name for this origin, in messages. */
  readonly name: string;
  readonly log: OriginLog;
  readonly clock?: Clock | undefined;
}

export function guardOrigin(backend: Backend, limits: OriginLimits, deps: GuardDeps): Backend {
  const clock = deps.clock ?? systemClock;
  const gate = openGate(limits, deps, clock);
  const bucket = limits.bytesPerSecond === undefined ? undefined : new TokenBucket(clock, limits.bytesPerSecond);
  const { put, delete: remove, deleteMany, copy, objectParts, multipart } = backend;
  const { tagging, versioning, buckets, bucketDocuments } = backend;
  return {
    kind: backend.kind,
    capabilities: backend.capabilities,
    check: (signal) => gate.once(() => backend.check(signal), signal),
    headBucket: (bucketName, signal) => gate.repeatable(() => backend.headBucket(bucketName, signal), signal),
    head: (ref, options, signal) => gate.repeatable(() => backend.head(ref, options, signal), signal),
    read: (ref, options, signal) =>
      gate
        .repeatableRead(
          () => backend.read(ref, options, signal),
          () => options.priority ?? 'demand',
          signal,
        )
        .then((read) => meterRead(read, bucket, options, signal)),
    list: (bucketName, options, signal) => gate.repeatable(() => backend.list(bucketName, options, signal), signal),
    ...(put && {
      put: (ref, body, options, signal) =>
        gate.once(() => put.call(backend, ref, meterUpload(body, bucket, signal), options, signal), signal),
    }),
    ...(remove && {
      delete: (ref, options, signal) => gate.repeatable(() => remove.call(backend, ref, options, signal), signal),
    }),
    ...(deleteMany && {
      deleteMany: (bucketName, targets, signal) =>
        gate.repeatable(() => deleteMany.call(backend, bucketName, targets, signal), signal),
    }),
    ...(copy && {
      copy: (source, target, options, signal) =>
        gate.once(() => copy.call(backend, source, target, options, signal), signal),
    }),
    ...(objectParts && {
      objectParts: (ref, options, signal) =>
        gate.repeatable(() => objectParts.call(backend, ref, options, signal), signal),
    }),
    ...(multipart && { multipart: guardMultipart(multipart, gate, bucket) }),
    ...(tagging && { tagging: guardTagging(tagging, gate) }),
    ...(versioning && { versioning: guardVersioning(versioning, gate) }),
    ...(buckets && { buckets: guardBuckets(buckets, gate) }),
    ...(bucketDocuments && { bucketDocuments: guardDocuments(bucketDocuments, gate) }),
    close: () => backend.close(),
  };
}

function openGate(limits: OriginLimits, deps: GuardDeps, clock: Clock): OriginGate {
  const origin = deps.name;
  const slots = new Slots({
    origin,
    maxInFlight: limits.maxInFlight ?? 256,
    maxQueued: limits.maxQueued ?? 1_024,
  });
  const circuit = new Circuit(clock, {
    origin,
    failuresToOpen: limits.failuresToOpen ?? 5,
    openMs: limits.openMs ?? 1_000,
    maxOpenMs: limits.maxOpenMs ?? 30_000,
    onChange: (state, cause) => {
      if (state === 'open')
        deps.log.warn({ origin, err: cause }, 'The origin does not answer; requests to it fail fast.');
      else deps.log.info({ origin }, 'The origin answers again.');
    },
  });
  return new OriginGate(
    { slots, circuit, clock },
    {
      retries: limits.retries ?? 2,
      retryDelayMs: limits.retryDelayMs ?? 100,
      maxRetryDelayMs: limits.maxRetryDelayMs ?? 2_000,
    },
  );
}

function guardMultipart(multipart: Multipart, gate: OriginGate, bucket: TokenBucket | undefined): Multipart {
  const { uploadPartCopy } = multipart;
  return {
    createUpload: (ref, options, signal) => gate.once(() => multipart.createUpload(ref, options, signal), signal),
    uploadPart: (upload, partNumber, body, signal) =>
      gate.once(() => multipart.uploadPart(upload, partNumber, meterUpload(body, bucket, signal), signal), signal),
    ...(uploadPartCopy && {
      uploadPartCopy: (upload, partNumber, source, options, signal) =>
        gate.once(() => uploadPartCopy.call(multipart, upload, partNumber, source, options, signal), signal),
    }),
    listParts: (upload, options, signal) => gate.repeatable(() => multipart.listParts(upload, options, signal), signal),
    listUploads: (bucketName, options, signal) =>
      gate.repeatable(() => multipart.listUploads(bucketName, options, signal), signal),
    completeUpload: (upload, parts, options, signal) =>
      gate.once(() => multipart.completeUpload(upload, parts, options, signal), signal),
    abortUpload: (upload, signal) => gate.once(() => multipart.abortUpload(upload, signal), signal),
  };
}

function guardTagging(tagging: Tagging, gate: OriginGate): Tagging {
  return {
    get: (ref, signal) => gate.repeatable(() => tagging.get(ref, signal), signal),
    set: (ref, tags, signal) => gate.repeatable(() => tagging.set(ref, tags, signal), signal),
    delete: (ref, signal) => gate.repeatable(() => tagging.delete(ref, signal), signal),
  };
}

function guardVersioning(versioning: Versioning, gate: OriginGate): Versioning {
  const set = versioning.set?.bind(versioning);
  return {
    get: (bucketName, signal) => gate.repeatable(() => versioning.get(bucketName, signal), signal),
    list: (bucketName, options, signal) => gate.repeatable(() => versioning.list(bucketName, options, signal), signal),
    ...(set !== undefined && {
      set: (bucketName, status, signal) => gate.repeatable(() => set(bucketName, status, signal), signal),
    }),
  };
}

function guardDocuments(documents: BucketDocuments, gate: OriginGate): BucketDocuments {
  return {
    get: (bucketName, name, signal) => gate.repeatable(() => documents.get(bucketName, name, signal), signal),
    set: (bucketName, name, document, signal) =>
      gate.repeatable(() => documents.set(bucketName, name, document, signal), signal),
    delete: (bucketName, name, signal) => gate.repeatable(() => documents.delete(bucketName, name, signal), signal),
  };
}

function guardBuckets(buckets: Buckets, gate: OriginGate): Buckets {
  return {
    create: (bucketName, options, signal) => gate.once(() => buckets.create(bucketName, options, signal), signal),
    delete: (bucketName, signal) => gate.once(() => buckets.delete(bucketName, signal), signal),
    list: (signal) => gate.repeatable(() => buckets.list(signal), signal),
  };
}

function meterRead(
  read: ObjectRead,
  bucket: TokenBucket | undefined,
  options: ReadOptions,
  signal: AbortSignal,
): ObjectRead {
  if (bucket === undefined) return read;
  const body = meteredBody(read.body, bucket, () => options.priority ?? 'demand', signal);
  body.once('close', () => read.body.destroy());
  return { ...read, body };
}

/** The body stays its owner's: the meter never destroys it. */
function meterUpload(body: UploadBody, bucket: TokenBucket | undefined, signal: AbortSignal): UploadBody {
  if (bucket === undefined) return body;
  return {
    sizeBytes: body.sizeBytes,
    declared: body.declared,
    stream: meteredBody(body.stream, bucket, () => 'demand', signal),
    digests: () => body.digests(),
  };
}
