// The two steps of reading bytes: the namenode says which datanode has them, the datanode sends them. A datanode that
// does not answer is left out once, for another that holds a copy.
import type { Readable } from 'node:stream';
import { BackendError, type ByteRange } from '../backend.ts';
import { discard, type HttpAnswer, type HttpClient } from '../http/http-client.ts';
import { exactBody } from '../net/exact-body.ts';
import type { DatanodeHosts } from './datanode-hosts.ts';
import type { NamenodeAnswer, Namenodes } from './namenodes.ts';
import { isJson, locationAnswer, readAnswer } from './protocol.ts';
import { remoteError } from './remote-errors.ts';

export interface OpenFileDeps {
  readonly namenodes: Pick<Namenodes, 'ask'>;
  readonly client: Pick<HttpClient, 'request'>;
  readonly datanodes: DatanodeHosts;
}

/** Exactly these bytes of what the path names now, or an error. */
export async function openFile(
  deps: OpenFileDeps,
  path: string,
  range: ByteRange,
  signal: AbortSignal,
): Promise<Readable> {
  const answer = await answerFor(deps, path, range, signal);
  return exactBody(answer.body, range.end - range.start, signal);
}

async function answerFor(deps: OpenFileDeps, path: string, range: ByteRange, signal: AbortSignal): Promise<HttpAnswer> {
  const first = await locate(deps, path, range, undefined, signal);
  if (!(first instanceof URL)) return first;
  try {
    return await fetchBytes(deps, first, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!isGone(error)) throw error;
    const second = await locate(deps, path, range, first.host, signal).catch(() => {
      signal.throwIfAborted();
      // The namenode knows no other: what went wrong at this one is the answer.
      throw error;
    });
    return second instanceof URL ? await fetchBytes(deps, second, signal) : second;
  }
}

/** Where to ask. Gateways such as HttpFS send the bytes themselves. */
async function locate(
  deps: OpenFileDeps,
  path: string,
  range: ByteRange,
  excluded: string | undefined,
  signal: AbortSignal,
): Promise<URL | HttpAnswer> {
  const parameters = {
    offset: String(range.start),
    length: String(range.end - range.start),
    noredirect: 'true',
    ...(excluded === undefined ? {} : { excludedatanodes: excluded }),
  };
  const answer = await deps.namenodes.ask({ op: 'OPEN', path, parameters }, signal);
  if (answer.status === 200 && !isJson(answer)) return answer;
  return deps.datanodes.resolve(await locationOf(answer, signal), answer.url);
}

/** Namenodes before Hadoop 2.8 redirect whatever was asked. */
async function locationOf(answer: NamenodeAnswer, signal: AbortSignal): Promise<string> {
  if (answer.status === 200) return (await readAnswer(answer, locationAnswer, signal)).Location;
  discard(answer);
  return answer.headers.location ?? '';
}

async function fetchBytes(deps: OpenFileDeps, url: URL, signal: AbortSignal): Promise<HttpAnswer> {
  const answer = await deps.client.request({ method: 'GET', url }, signal);
  if (answer.status === 200) return answer;
  if (answer.status >= 400) throw await remoteError(answer, signal);
  discard(answer);
  throw new BackendError('Internal', `The datanode answered with HTTP ${answer.status} in place of bytes.`);
}

function isGone(error: unknown): boolean {
  return error instanceof BackendError && (error.code === 'Unavailable' || error.code === 'Timeout');
}
