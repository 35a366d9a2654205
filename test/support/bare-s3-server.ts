// The S3 endpoint's server by itself, before a dialect that only notes what reaches it.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect, onTestFinished } from 'vitest';
import { S3Server, type S3ServerOptions } from '../../src/s3/s3-server.ts';

export type Handle = (
  req: IncomingMessage,
  res: ServerResponse,
  context: { expectsContinue: boolean },
) => Promise<void>;

interface World {
  readonly server: S3Server;
  readonly port: number;
  /** 'METHOD url' of every request that reached the dialect. */
  readonly seen: string[];
  readonly limits: string[];
  readonly errors: unknown[];
}

const PATIENT: S3ServerOptions['limits'] = {
  maxConnections: 100,
  maxHeaderBytes: 8_192,
  headersTimeoutMs: 60_000,
  bodyTimeoutMs: 60_000,
  answerTimeoutMs: 60_000,
  keepAliveMs: 60_000,
};

/** Answers with the number of bytes the body had. */
export const countBody: Handle = async (req, res) => {
  let bytes = 0;
  for await (const chunk of req) bytes += (chunk as Buffer).length;
  res.end(`${bytes} bytes`);
};

export function gateOf(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((open) => {
    resolve = open;
  });
  return { promise, resolve };
}

export async function serve(
  limits: Partial<S3ServerOptions['limits']> = {},
  handle: Handle = countBody,
  tls?: S3ServerOptions['tls'],
): Promise<World> {
  const seen: string[] = [];
  const reached: string[] = [];
  const errors: unknown[] = [];
  const server = await S3Server.open(
    {
      api: {
        handle: (req, res, context) => {
          seen.push(`${req.method} ${req.url}`);
          return handle(req, res, context);
        },
      },
      log: { error: (fields: unknown) => void errors.push(fields) },
      onLimit: (limit) => void reached.push(limit),
    },
    { host: '127.0.0.1', port: 0, tls, limits: { ...PATIENT, ...limits } },
  );
  onTestFinished(() => server.close(0));
  return { server, port: server.port, seen, limits: reached, errors };
}

export function expectXmlError(answer: string, status: number, code: string): void {
  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(answer).toMatch(/\r\ncontent-type: application\/xml\r\n/i);
  expect(answer).toMatch(/\r\nconnection: close\r\n/i);
  expect(answer).toContain(`<Code>${code}</Code>`);
  const [, id] = /\r\nx-amz-request-id: (\w+)\r\n/i.exec(answer) ?? [];
  expect(answer).toContain(`<RequestId>${id}</RequestId>`);
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  expect(head).toMatch(new RegExp(`content-length: ${body.length}\\b`, 'i'));
}
