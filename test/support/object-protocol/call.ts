// One request to the protocol server: its parts, and ways to answer it.
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Flavour } from './flavour.ts';
import type { SignedParts } from './signatures.ts';

export class Refused extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string) {
    super(`The protocol server refuses this: ${code}.`);
    this.status = status;
    this.code = code;
  }
}

export class Call implements SignedParts {
  readonly method: string;
  readonly bucket: string | undefined;
  readonly key: string | undefined;
  readonly rawKey: string | undefined;
  readonly query = new Map<string, string>();
  readonly headers: Readonly<Record<string, string>>;
  readonly flavour: Flavour;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** A fault: what was received well is stored otherwise. */
  corrupts = false;
  readonly #asks: boolean;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    options: { flavour: Flavour; serviceHost: string; asks: boolean },
  ) {
    this.request = request;
    this.response = response;
    this.flavour = options.flavour;
    this.#asks = options.asks;
    this.method = request.method ?? '';
    const [path = '/', search = ''] = splitOnce(request.url ?? '/', '?');
    const host = (request.headers.host ?? '').replace(/:\d+$/, '');
    if (host.endsWith(`.${options.serviceHost}`)) this.bucket = host.slice(0, -options.serviceHost.length - 1);
    this.rawKey = path.length > 1 ? path.slice(1) : undefined;
    this.key = this.rawKey === undefined ? undefined : decodeURIComponent(this.rawKey);
    for (const pair of search.split('&').filter((text) => text !== '')) {
      const [name = '', value = ''] = splitOnce(pair, '=');
      this.query.set(unescaped(name), unescaped(value));
    }
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(request.headers)) headers[name] = String(value);
    this.headers = headers;
  }

  header(name: string): string | undefined {
    return this.headers[name];
  }

  /** One of the service's own. */
  own(name: string): string | undefined {
    return this.headers[this.flavour.prefix + name];
  }

  integer(name: string, fallback: number): number {
    const value = Number(this.query.get(name) ?? fallback);
    if (!Number.isSafeInteger(value) || value < 0) throw new Refused(400, 'InvalidArgument');
    return value;
  }

  /** The whole body, or an error when the client did not send all of it. */
  async body(): Promise<Buffer> {
    if (this.#asks) this.response.writeContinue();
    const chunks: Buffer[] = [];
    for await (const chunk of this.request) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    const declared = this.header('content-md5');
    if (declared !== undefined && declared !== createHash('md5').update(bytes).digest('base64')) {
      throw new Refused(400, this.flavour.wrongMd5);
    }
    return this.corrupts ? flipped(bytes) : bytes;
  }

  answer(status: number, headers: Record<string, string | number> = {}, body?: string | Buffer): void {
    this.response.writeHead(status, { [`${this.flavour.prefix}request-id`]: 'r-1', ...headers });
    this.response.end(this.method === 'HEAD' ? undefined : body);
  }

  answerXml(document: string): void {
    const body = `<?xml version="1.0" encoding="UTF-8"?>\n${document}`;
    this.answer(200, { 'Content-Type': 'application/xml', 'Content-Length': Buffer.byteLength(body) }, body);
  }

  /** Where the body was not read, the connection cannot go on. */
  refuse(status: number, code: string): void {
    const { prefix, name } = this.flavour;
    const document = `<Error><Code>${code}</Code><Message>refused &amp; said so</Message><RequestId>r-1</RequestId></Error>`;
    const told: Record<string, string> =
      name === 'oss'
        ? { [`${prefix}err`]: Buffer.from(document).toString('base64') }
        : { [`${prefix}error-code`]: code };
    const unread = this.request.complete ? {} : { Connection: 'close' };
    this.answer(
      status,
      { 'Content-Type': 'application/xml', ...told, ...unread },
      status === 304 ? undefined : document,
    );
  }
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function unescaped(text: string): string {
  return decodeURIComponent(text.replaceAll('+', '%20'));
}

export function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy[0] = (copy[0] ?? 0) ^ 0xff;
  return copy;
}
