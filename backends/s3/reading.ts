// Head and read.
import { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { GetObjectCommand, type GetObjectCommandOutput, HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import {
  BackendError,
  type HeadOptions,
  type ObjectHead,
  type ObjectRead,
  type ObjectRef,
  type RangeRequest,
  type ReadOptions,
} from '../backend.ts';
import { checkReadConditions } from '../conditions.ts';
import { exactBody } from '../net/exact-body.ts';
import { resolveRange } from '../range.ts';
import { call, named } from './calls.ts';
import { toReadConditionFields } from './conditions.ts';
import { toCustomerKeyFields } from './encryption.ts';
import { fromContentRange, toInfo, toRangeHeader } from './translate.ts';

/** Sent without conditions, which are decided here: as cheap, and a refusal can tell the object's record. */
export async function headObject(
  client: S3Client,
  ref: ObjectRef,
  options: HeadOptions,
  signal: AbortSignal,
): Promise<ObjectHead> {
  const { versionId, partNumber } = options;
  const command = new HeadObjectCommand({
    ...named(ref),
    ...toCustomerKeyFields(options.customerKey),
    VersionId: versionId,
    PartNumber: partNumber,
    ChecksumMode: 'ENABLED',
  });
  const answer = await call(client, () => client.send(command, { abortSignal: signal }), signal).catch((error) => {
    throw ofVersion(error, versionId);
  });
  const head = describe(ref.key, answer, partNumber);
  checkReadConditions(options.conditions, head.info);
  return head;
}

/** The origin decides what it can of the conditions; the answer is checked against all of them once more. */
export async function readObject(
  client: S3Client,
  ref: ObjectRef,
  options: ReadOptions,
  signal: AbortSignal,
): Promise<ObjectRead> {
  const { versionId, range, partNumber } = options;
  const command = new GetObjectCommand({
    ...named(ref),
    ...toReadConditionFields(options.conditions),
    ...toCustomerKeyFields(options.customerKey),
    VersionId: versionId,
    PartNumber: partNumber,
    Range: range === undefined ? undefined : toRangeHeader(range),
  });
  const answer = await call(client, () => client.send(command, { abortSignal: signal }), signal).catch((error) => {
    throw ofVersion(error, versionId);
  });
  const body = bodyOf(answer);
  try {
    const head = asRanged(describe(ref.key, answer, partNumber), range);
    checkReadConditions(options.conditions, head.info);
    const expectedBytes = head.range === undefined ? head.info.sizeBytes : head.range.end - head.range.start;
    return { ...head, body: exactBody(body, expectedBytes, signal) };
  } catch (error) {
    body.on('error', () => undefined);
    body.destroy();
    throw error;
  }
}

type Answer = Parameters<typeof toInfo>[1];

function describe(key: string, answer: Answer, partNumber: number | undefined): ObjectHead {
  const { ContentRange: contentRange, ContentLength: contentLength } = answer;
  const applied = fromContentRange(contentRange);
  if (applied !== undefined) {
    const { sizeBytes, ...range } = applied;
    return { info: toInfo(key, answer, sizeBytes), range };
  }
  if (contentLength === undefined) throw new BackendError('Unavailable', 'The origin did not tell the size.');
  const info = toInfo(key, answer, contentLength);
  return partNumber === undefined ? { info } : { info, range: wholeAsPart(info, partNumber) };
}

/** A server that does not know part numbers answers with the whole object, which an object in one piece's only part is. */
function wholeAsPart(info: ObjectHead['info'], partNumber: number): { start: number; end: number } {
  if (/-\d+$/.test(info.etag)) throw ignored('a part number');
  if (partNumber !== 1) throw new BackendError('InvalidPartNumber', 'The object has one part.');
  return { start: 0, end: info.sizeBytes };
}

/** Some servers answer with the whole object where no byte, or every byte, was asked for. */
function asRanged(head: ObjectHead, request: RangeRequest | undefined): ObjectHead {
  if (request === undefined || head.range !== undefined) return head;
  const range = resolveRange(request, head.info.sizeBytes);
  if (range.end - range.start < head.info.sizeBytes) throw ignored('a range');
  return { ...head, range };
}

function ignored(what: string): BackendError {
  return new BackendError('NotSupported', `The origin ignored that ${what} was asked for.`);
}

function bodyOf(answer: GetObjectCommandOutput): Readable {
  const body: unknown = answer.Body;
  if (body instanceof IncomingMessage || body instanceof Readable) return body;
  throw new BackendError('Unavailable', 'The origin answered a read without a body.');
}

/** An answer to HEAD cannot say which of the two is missing; a delete marker does not allow to be read. */
function ofVersion(error: unknown, versionId: string | undefined): unknown {
  if (!(error instanceof BackendError) || versionId === undefined) return error;
  const { message, nativeCode } = error;
  if (error.code === 'NotSupported') {
    return new BackendError('DeleteMarker', message, { cause: error, nativeCode, marker: { versionId } });
  }
  return error.code === 'NoSuchKey' ? new BackendError('NoSuchVersion', message, { cause: error, nativeCode }) : error;
}
