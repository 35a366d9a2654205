// One request by a client that tells everything that became of it, a connection that ended short included.
import { request as send } from 'node:http';
import { type RawRequest, signedHeaders } from './signed-request.ts';

export interface ClientOutcome {
  readonly status: number;
  /** Of S3's error document. */
  readonly code: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** The connection ended before the answer did. */
  readonly cut: boolean;
  readonly elapsedMs: number;
  /** Between two signs of the gateway, from the request to the end. */
  readonly longestSilenceMs: number;
}

interface Target {
  readonly s3Url: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export function askGateway(target: Target, request: RawRequest): Promise<ClientOutcome> {
  const startedAt = performance.now();
  const { host, hostname, port } = new URL(target.s3Url);
  const credential = { ...target, name: 'client', account: 'client' };
  const body = Buffer.from(request.body ?? '');
  const { method = 'GET', path } = request;
  const headers = { ...signedHeaders({ ...request, credential }, host), 'content-length': String(body.length) };
  let heardAt = startedAt;
  let longestSilenceMs = 0;
  const heard = () => {
    const now = performance.now();
    longestSilenceMs = Math.max(longestSilenceMs, now - heardAt);
    heardAt = now;
  };
  return new Promise((resolve, reject) => {
    const outgoing = send({ host: hostname, port, method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        heard();
      });
      // Reported by 'close', as a cut.
      response.on('error', () => undefined);
      response.on('close', () => {
        heard();
        const received = Buffer.concat(chunks);
        resolve({
          status: response.statusCode ?? 0,
          code: /<Error>.*<Code>([^<]*)<\/Code>/s.exec(received.toString('latin1'))?.[1],
          headers: response.headers,
          body: received,
          cut: !response.complete,
          elapsedMs: performance.now() - startedAt,
          longestSilenceMs,
        });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
