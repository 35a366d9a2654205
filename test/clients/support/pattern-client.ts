// A gateway with one bucket, and requests to it as a client's driver words them.
import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import type { Credential } from '../../../src/s3/auth/credentials.ts';
import { startGateway } from '../../support/gateway.ts';
import { type RawAnswer, type RawRequest, sendRaw } from '../../support/signed-request.ts';

export interface PatternClient extends AsyncDisposable {
  readonly url: string;
  readonly host: string;
  readonly credential: Credential;
  /** The path follows the bucket. */
  send(request: RawRequest): Promise<RawAnswer>;
  /** The same, expecting this status. */
  ask(status: number, request: RawRequest): Promise<RawAnswer>;
}

export const BUCKET = 'pattern';

/** `always`: headers that this client sends with every request. */
export async function startPatternClient(always: Readonly<Record<string, string>> = {}): Promise<PatternClient> {
  const gateway = await startGateway();
  const { accessKeyId, secretAccessKey } = gateway;
  const credential = { name: 'pattern', account: 'pattern', accessKeyId, secretAccessKey };
  const { host, port } = new URL(gateway.s3Url);
  const send = (request: RawRequest): Promise<RawAnswer> =>
    sendRaw(Number(port), {
      credential,
      ...request,
      path: `/${BUCKET}${request.path}`,
      headers: { ...always, ...request.headers },
    });
  const ask = async (status: number, request: RawRequest): Promise<RawAnswer> => {
    const answer = await send(request);
    expect([request.method ?? 'GET', request.path, answer.status, answer.element('Code')]).toEqual([
      request.method ?? 'GET',
      request.path,
      status,
      answer.element('Code'),
    ]);
    return answer;
  };
  await ask(200, { method: 'PUT', path: '' });
  return { url: gateway.s3Url, host, credential, send, ask, [Symbol.asyncDispose]: () => gateway.close() };
}

/** The texts of all elements of this name. */
export function elements({ text }: RawAnswer, name: string): string[] {
  return [...text.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map(([, inner = '']) => unescaped(inner));
}

export function contentMd5(body: string): Record<string, string> {
  return { 'content-md5': createHash('md5').update(body).digest('base64') };
}

export function etagOf(answer: RawAnswer): string {
  return answer.headers.etag ?? unescaped(answer.element('ETag') ?? '');
}

function unescaped(text: string): string {
  return text
    .replace(/&quot;|&#34;/g, '"')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&');
}
