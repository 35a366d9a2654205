// GetObject and HeadObject. https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
import { BackendError, type ObjectHead, type ReadConditions } from '../../../backends/backend.ts';
import { resolveRange } from '../../../backends/range.ts';
import type { AtHand, GatewayRead, GatewayReadOptions } from '../../objects/objects.ts';
import type { Answer } from '../answer.ts';
import { parseHttpDate, parseReadConditions, unquoteEtag } from '../conditions.ts';
import { parseCustomerKey } from '../encryption.ts';
import { S3Error } from '../errors.ts';
import { hidingMissing } from '../missing-key.ts';
import { describeObject, wantsChecksum } from '../object-headers.ts';
import { partNumberParameter, versionIdParameter } from '../parameters.ts';
import { parseRange } from '../range.ts';
import type { OperationContext } from './operation-context.ts';

export function getObject(context: OperationContext): Promise<Answer> | Answer {
  const options = readOptions(context);
  const hit = atHand(context, options);
  if (hit === undefined) return getFromElsewhere(context, options);
  return hit instanceof Promise ? getSoon(context, options, hit) : answerWith(context, hit);
}

async function getSoon(
  context: OperationContext,
  options: GatewayReadOptions,
  coming: Promise<GatewayRead | undefined>,
): Promise<Answer> {
  const hit = await coming;
  return hit === undefined ? getFromElsewhere(context, options) : answerWith(context, hit);
}

async function getFromElsewhere(context: OperationContext, options: GatewayReadOptions): Promise<Answer> {
  return answerWith(context, await found(context, () => readIfRange(context, options)));
}

function answerWith(context: OperationContext, read: GatewayRead): Answer {
  try {
    const { status, headers, sizeBytes } = describeObject(context, read);
    const { chunks, whole, source, versionAgeMs } = read;
    // For whoever wonders why a read was fast, slow or old.
    headers['x-dfstore-source'] = source;
    if (Number.isFinite(versionAgeMs)) headers['x-dfstore-version-age'] = (versionAgeMs / 1000).toFixed(3);
    return { status, headers, body: { chunks, whole, sizeBytes } };
  } catch (error) {
    // Nobody waits for how it ends: the answer is the error that was found first.
    read.chunks.return().catch(() => undefined);
    throw error;
  }
}

export async function headObject(context: OperationContext): Promise<Answer> {
  const { range, ...options } = readOptions(context);
  const head = await found(context, async (): Promise<ObjectHead> => {
    const found = await context.objects.head({ bucket: context.bucket, key: context.key }, options, context.signal);
    if (range === undefined || context.headers['if-range'] !== undefined) return found;
    return { ...found, range: resolveRange(range, found.info.sizeBytes) };
  });
  const { status, headers } = describeObject(context, head);
  return { status, headers };
}

function readOptions(context: OperationContext): GatewayReadOptions {
  const options = {
    versionId: versionIdParameter(context.query),
    customerKey: parseCustomerKey(context.headers, context.objects.capabilities(context.bucket)),
    conditions: parseReadConditions(context.headers),
    partNumber: partNumberParameter(context.query),
    range: parseRange(context.headers.range),
    withChecksum: wantsChecksum(context.headers),
  };
  if (options.partNumber !== undefined && context.headers.range !== undefined) {
    throw new S3Error('InvalidRequest', 'Cannot specify both Range header and partNumber query parameter');
  }
  return options;
}

function atHand(context: OperationContext, options: GatewayReadOptions): AtHand {
  if (context.headers['if-range'] !== undefined) return undefined;
  return context.objects.atHand({ bucket: context.bucket, key: context.key }, options);
}

/** If-Range: the range only while the object is the one meant, else all of it (RFC 9110 §13.1.5). */
async function readIfRange(context: OperationContext, options: GatewayReadOptions): Promise<GatewayRead> {
  const ifRange = context.headers['if-range'];
  if (ifRange === undefined || options.range === undefined) return read(context, options);
  const { range: _, ...whole } = options;
  const date = parseHttpDate(ifRange);
  const condition: ReadConditions | undefined = date
    ? { ifUnmodifiedSince: date }
    : ifRange.startsWith('W/')
      ? undefined
      : { ifMatch: [unquoteEtag(ifRange)] };
  // With conditions of its own a refusal would not tell which one failed; the whole object is always a right answer.
  if (condition === undefined || options.conditions !== undefined) return read(context, whole);
  try {
    return await read(context, { ...options, conditions: condition });
  } catch (error) {
    if (error instanceof BackendError && error.code === 'PreconditionFailed') return read(context, whole);
    throw error;
  }
}

function read(context: OperationContext, options: GatewayReadOptions): Promise<GatewayRead> {
  return context.objects.read({ bucket: context.bucket, key: context.key }, options, context.signal);
}

function found<Result>(context: OperationContext, run: () => Promise<Result>): Promise<Result> {
  return hidingMissing(context, () => withSize(context, run));
}

/** A range that cannot be satisfied is refused with the size that it missed. */
async function withSize<Result>(context: OperationContext, run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof BackendError) || error.code !== 'InvalidRange') throw error;
    const { versionId, customerKey } = readOptions(context);
    const options = { versionId, customerKey };
    const sizeBytes =
      error.info?.sizeBytes ??
      (await context.objects.head({ bucket: context.bucket, key: context.key }, options, context.signal)).info
        .sizeBytes;
    throw new S3Error('InvalidRange', undefined, {
      cause: error,
      details: { RangeRequested: context.headers.range ?? '', ActualObjectSize: String(sizeBytes) },
      headers: { 'Content-Range': `bytes */${sizeBytes}` },
    });
  }
}
