// HEAD and GET of objects.
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import {
  BackendError,
  type ByteRange,
  type HeadOptions,
  type ObjectHead,
  type ObjectInfo,
  type ObjectRead,
  type ObjectRef,
  type RangeRequest,
  type ReadOptions,
} from '../backend.ts';
import { checkReadConditions } from '../conditions.ts';
import { exactBody } from '../net/exact-body.ts';
import { resolveRange } from '../range.ts';
import { createCrc64, verified } from './crc64.ts';
import { conditionHeaders, objectInfo } from './object-headers.ts';
import { oneHeader } from './one-header.ts';
import type { OriginClient } from './origin-client.ts';
import { ofVersion } from './versioning.ts';
import type { WireRequest } from './wire.ts';

export async function headObject(
  client: OriginClient,
  ref: ObjectRef,
  options: HeadOptions,
  signal: AbortSignal,
): Promise<ObjectHead> {
  const request = objectRequest(client, 'HEAD', ref, options, {});
  const headers = await client.call(request, signal).catch((error) => {
    throw ofVersion(error, options.versionId);
  });
  const info = objectInfo(client.dialect, ref.key, headers, promisedBytes(headers['content-length']));
  checkReadConditions(options.conditions, info);
  if (options.partNumber === undefined) return { info };
  return { info, range: partRange(client, info, options.partNumber) };
}

export async function readObject(
  client: OriginClient,
  ref: ObjectRef,
  options: ReadOptions,
  signal: AbortSignal,
): Promise<ObjectRead> {
  if (options.partNumber !== undefined) return readPart(client, ref, options, signal);
  const range = options.range === undefined ? undefined : rangeHeader(options.range);
  const headers = range === undefined ? {} : { Range: range, ...client.dialect.rangeHeaders };
  const request = objectRequest(client, 'GET', ref, options, headers);
  const response = await client.open(request, signal).catch((error) => {
    throw ofVersion(error, options.versionId);
  });
  try {
    return await openBody(client, ref, options, response, signal);
  } catch (error) {
    response.destroy();
    throw error;
  }
}

async function openBody(
  client: OriginClient,
  ref: ObjectRef,
  options: ReadOptions,
  response: IncomingMessage,
  signal: AbortSignal,
): Promise<ObjectRead> {
  const promised = promisedBytes(response.headers['content-length']);
  const part = response.statusCode === 206 ? contentRange(response) : undefined;
  if (part !== undefined && part.range.end - part.range.start !== promised) {
    throw new BackendError('Internal', 'The origin promises another length than its Content-Range has.');
  }
  const info = objectInfo(client.dialect, ref.key, response.headers, part?.sizeBytes ?? promised);
  checkReadConditions(options.conditions, info);
  if (options.range === undefined) {
    if (part !== undefined)
      throw new BackendError('Internal', 'The origin answered a part although all was asked for.');
    return { info, body: await wholeBody(client, response, promised, signal) };
  }
  const range = resolveRange(options.range, info.sizeBytes);
  const given = part?.range ?? { start: 0, end: promised };
  if (range.start !== given.start || range.end !== given.end) {
    throw new BackendError('Internal', 'The origin answered another range than it was asked for.');
  }
  return { info, range, body: exactBody(response, promised, signal) };
}

async function wholeBody(
  client: OriginClient,
  response: IncomingMessage,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<Readable> {
  const expected = oneHeader(response.headers, `${client.dialect.headerPrefix}hash-crc64ecma`);
  // Taken before the first await, so that no byte or error of the response goes unheard.
  const body = exactBody(response, sizeBytes, signal);
  return expected === undefined || !client.dialect.tellsCrc64 ? body : verified(body, await createCrc64(), expected);
}

/** The origin does not tell where parts begin (nor do we tell a partCount); what was put whole is its own part 1. */
async function readPart(
  client: OriginClient,
  ref: ObjectRef,
  options: ReadOptions,
  signal: AbortSignal,
): Promise<ObjectRead> {
  const { info, range } = await headObject(client, ref, options, signal);
  const whole = { ...options, partNumber: undefined, range: undefined };
  const conditions = { ...options.conditions, ifMatch: [info.etag] };
  const read = await readObject(client, ref, { ...whole, conditions }, signal);
  return { ...read, range };
}

function partRange(client: OriginClient, info: ObjectInfo, partNumber: number): ByteRange {
  if (/-\d+$/.test(info.etag)) {
    const message = `${client.dialect.service} does not tell where the parts of an object begin.`;
    throw new BackendError('NotSupported', message);
  }
  if (partNumber !== 1) throw new BackendError('InvalidPartNumber', 'The object has one part only.');
  return { start: 0, end: info.sizeBytes };
}

function objectRequest(
  client: OriginClient,
  method: 'GET' | 'HEAD',
  ref: ObjectRef,
  options: HeadOptions,
  headers: Record<string, string>,
): WireRequest {
  return {
    method,
    bucket: ref.bucket,
    key: ref.key,
    query: options.versionId === undefined ? {} : { versionId: options.versionId },
    headers: { ...conditionHeaders(client.dialect, options.conditions), ...headers },
  };
}

function rangeHeader(range: RangeRequest): string {
  if ('suffixBytes' in range) {
    if (range.suffixBytes > 0) return `bytes=-${range.suffixBytes}`;
  } else if (range.end === undefined) {
    return `bytes=${range.start}-`;
  } else if (range.end > range.start) {
    return `bytes=${range.start}-${range.end - 1}`;
  }
  throw new BackendError('InvalidRange', 'The range has no bytes.');
}

function contentRange(response: IncomingMessage): { range: ByteRange; sizeBytes: number } {
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(oneHeader(response.headers, 'content-range') ?? '');
  if (match === null) throw new BackendError('Internal', 'The origin answered a part without saying which.');
  return { range: { start: Number(match[1]), end: Number(match[2]) + 1 }, sizeBytes: Number(match[3]) };
}

function promisedBytes(contentLength: string | undefined): number {
  const size = contentLength === undefined ? Number.NaN : Number(contentLength);
  if (Number.isSafeInteger(size) && size >= 0) return size;
  throw new BackendError('Internal', 'The origin does not tell how long the object is.');
}
