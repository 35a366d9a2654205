// Requests exactly as a test words them, signed with Signature Version 4 by a signer that shares no code with the
// gateway's own.
import { createHash, createHmac } from 'node:crypto';
import { request as send } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { Credential } from '../../src/s3/auth/credentials.ts';
import { OWNER } from './s3-gateway.ts';

export interface RawRequest {
  /** Default GET. */
  readonly method?: string;
  /** As it goes on the wire, percent-encoded, with its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
  /** Null: not signed. */
  readonly credential?: Credential | null;
  readonly host?: string;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  readonly text: string;
  /** The text of the first element of this name. */
  element(name: string): string | undefined;
}

export function signedHeaders(request: RawRequest, host: string): Record<string, string> {
  const { method = 'GET', credential = OWNER } = request;
  const body = Buffer.from(request.body ?? '');
  const plain = { ...request.headers, host: request.host ?? host };
  if (credential === null) return plain;
  const date = `${new Date().toISOString().replace(/[-:]|\.\d{3}/g, '')}`;
  const lower = Object.fromEntries(Object.entries(plain).map(([name, value]) => [name.toLowerCase(), value]));
  const headers: Record<string, string> = {
    'x-amz-content-sha256': createHash('sha256').update(body).digest('hex'),
    ...lower,
    'x-amz-date': date,
  };
  const names = Object.keys(headers).sort();
  const [path = '', query = ''] = request.path.split(/\?(.*)/s);
  const pairs = query.split('&').filter((pair) => pair !== '');
  const canonicalQuery = pairs
    .map((pair) => (pair.includes('=') ? pair : `${pair}=`))
    .sort()
    .join('&');
  const lines = names.map((name) => `${name}:${(headers[name] ?? '').trim().replace(/ +/g, ' ')}\n`).join('');
  const canonical = [method, path, canonicalQuery, lines, names.join(';'), headers['x-amz-content-sha256']].join('\n');
  const scope = `${date.slice(0, 8)}/us-east-1/s3/aws4_request`;
  const digest = createHash('sha256').update(canonical, 'latin1').digest('hex');
  const toSign = ['AWS4-HMAC-SHA256', date, scope, digest].join('\n');
  const key = scope
    .split('/')
    .reduce<Buffer>((secret, part) => hmac(secret, part), Buffer.from(`AWS4${credential.secretAccessKey}`));
  const signature = hmac(key, toSign).toString('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return { ...headers, authorization };
}

export async function sendRaw(port: number, request: RawRequest): Promise<RawAnswer> {
  const { method = 'GET', path } = request;
  const headers = signedHeaders(request, `127.0.0.1:${port}`);
  const body = Buffer.from(request.body ?? '');
  const needsLength = body.length > 0 || method === 'PUT' || method === 'POST';
  if (needsLength && !Object.keys(headers).some((name) => /^(content-length|transfer-encoding)$/i.test(name))) {
    headers['content-length'] = String(body.length);
  }
  return new Promise((resolve, reject) => {
    const outgoing = send({ host: '127.0.0.1', port, method, path, headers, agent: false }, async (response) => {
      try {
        const bytes = await buffer(response);
        resolve(answerOf(response.statusCode ?? 0, response.headers, bytes));
      } catch (error) {
        reject(error);
      }
    });
    outgoing.on('error', reject);
    // Not end(body): when Node knows the length before it writes the head, it recodes a Content-Disposition.
    if (body.length > 0) outgoing.write(body);
    outgoing.end();
  });
}

function answerOf(status: number, headers: Record<string, string | string[] | undefined>, body: Buffer): RawAnswer {
  const text = body.toString('utf8');
  return {
    status,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value?.toString()])),
    body,
    text,
    element: (name) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1],
  };
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
