// An origin that misbehaves on the wire as a test tells it to: raw HTTP over raw sockets, so that it may stop or cut
// anywhere. It answers every request in the same way and counts what it was sent.
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

/** How the next request is met. `head` is sent verbatim, lines joined by CRLF. */
export type Fault =
  /** Takes the request and says nothing. */
  | { readonly kind: 'stall-before-headers' }
  /** Sends this much and then nothing more. */
  | { readonly kind: 'stall-mid-body'; readonly head: readonly string[]; readonly body: Buffer }
  /** Sends this much and then resets or ends the connection. */
  | { readonly kind: 'cut-mid-body'; readonly head: readonly string[]; readonly body: Buffer; readonly reset?: boolean }
  /** Answers as soon as it has the request's headers, without reading a body. */
  | { readonly kind: 'answer'; readonly head: readonly string[]; readonly body?: Buffer }
  /** Takes `takeBytes` of the request's body, then reads no further. */
  | { readonly kind: 'stop-reading'; readonly takeBytes: number }
  /** A piece of the answer at a time. */
  | {
      readonly kind: 'slow';
      readonly head: readonly string[];
      readonly body: Buffer;
      readonly pieceBytes: number;
      readonly everyMs: number;
    };

interface FaultyServerOptions {
  readonly tls?: { readonly key: string; readonly cert: string } | undefined;
}

export class FaultyServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #secure: boolean;
  #fault: Fault = { kind: 'stall-before-headers' };
  requests = 0;
  /** Bytes of request bodies that arrived, of all requests together. */
  bodyBytes = 0;
  /** Requests whose body arrived whole, by its Content-Length: what a sound server would have stored. */
  wholeBodies = 0;

  private constructor(options: FaultyServerOptions) {
    this.#secure = options.tls !== undefined;
    const onSocket = (socket: Socket) => this.#serve(socket);
    this.#server = options.tls === undefined ? createServer(onSocket) : createTlsServer(options.tls, onSocket);
    // Handshakes that fail are what some tests are about.
    this.#server.on('tlsClientError', () => undefined);
  }

  static async start(options: FaultyServerOptions = {}): Promise<FaultyServer> {
    const faulty = new FaultyServer(options);
    await new Promise<void>((resolve) => faulty.#server.listen(0, '127.0.0.1', resolve));
    return faulty;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  get endpoint(): string {
    return `${this.#secure ? 'https' : 'http'}://127.0.0.1:${this.port}`;
  }

  get openSockets(): number {
    return this.#sockets.size;
  }

  behave(fault: Fault): void {
    this.#fault = fault;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    // The other end leaves in every way there is.
    socket.on('error', () => undefined);
    let head = '';
    let request: { lengthBytes: number; bodyBytes: number } | undefined;
    socket.on('data', (data) => {
      let rest = data;
      if (request === undefined) {
        head += data.toString('latin1');
        const end = head.indexOf('\r\n\r\n');
        if (end === -1) return;
        rest = Buffer.from(head.slice(end + 4), 'latin1');
        request = { lengthBytes: contentLength(head), bodyBytes: 0 };
        head = '';
        this.requests += 1;
        this.#meet(socket);
      }
      this.bodyBytes += rest.length;
      request.bodyBytes += rest.length;
      if (this.#fault.kind === 'stop-reading' && request.bodyBytes >= this.#fault.takeBytes) socket.pause();
      if (request.bodyBytes < request.lengthBytes) return;
      if (request.lengthBytes > 0) this.wholeBodies += 1;
      request = undefined;
    });
  }

  #meet(socket: Socket): void {
    const fault = this.#fault;
    switch (fault.kind) {
      case 'stall-before-headers':
      case 'stop-reading':
        return;
      case 'answer':
      case 'stall-mid-body':
        socket.write(answer(fault.head, fault.body));
        return;
      case 'cut-mid-body':
        socket.write(answer(fault.head, fault.body), () => {
          if (fault.reset === true) socket.resetAndDestroy();
          else socket.end();
        });
        return;
      case 'slow':
        drip(socket, answer(fault.head, fault.body), fault.pieceBytes, fault.everyMs);
    }
  }
}

/** An answer with a body of XML, as S3 gives errors. */
export function s3Error(status: number, code: string): Fault {
  const body = Buffer.from(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>as told</Message></Error>`);
  const head = [`HTTP/1.1 ${status} X`, 'Content-Type: application/xml', `Content-Length: ${body.length}`];
  return { kind: 'answer', head, body };
}

function answer(head: readonly string[], body: Buffer = Buffer.alloc(0)): Buffer {
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}

function drip(socket: Socket, bytes: Buffer, pieceBytes: number, everyMs: number): void {
  let at = 0;
  const timer = setInterval(() => {
    socket.write(bytes.subarray(at, at + pieceBytes));
    at += pieceBytes;
    if (at >= bytes.length) clearInterval(timer);
  }, everyMs);
  socket.once('close', () => clearInterval(timer));
}

function contentLength(head: string): number {
  return Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
}
