// Passes bytes between a client and a server, counts connections, and cuts or holds them when a test says so.
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

export class WireProxy {
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #targetPort: number | undefined;
  #resetsNext = false;
  #holds = false;
  /** That were made, whatever became of them. */
  connections = 0;
  /** Bytes of answers that were passed on. */
  answered = 0;

  private constructor() {
    this.#server = createServer((socket) => this.#pass(socket));
  }

  static async start(): Promise<WireProxy> {
    const proxy = new WireProxy();
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  to(port: number): void {
    this.#targetPort = port;
  }

  /** The connection on which bytes come next from the client is reset instead of passing them. */
  resetNext(): void {
    this.#resetsNext = true;
  }

  /** From now on nothing of answers is passed on. */
  hold(): void {
    this.#holds = true;
  }

  close(): void {
    for (const socket of this.#open) socket.destroy();
    this.#server.close();
  }

  #pass(socket: Socket): void {
    this.connections += 1;
    const onward = connect(this.#targetPort ?? 0, '127.0.0.1');
    for (const [end, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      this.#open.add(end);
      end.on('error', () => other.destroy());
      end.on('close', () => {
        this.#open.delete(end);
        other.destroy();
      });
    }
    socket.on('data', (chunk: Buffer) => {
      if (this.#resetsNext) {
        this.#resetsNext = false;
        socket.resetAndDestroy();
      } else onward.write(chunk);
    });
    onward.on('data', (chunk: Buffer) => {
      if (this.#holds) return;
      this.answered += chunk.length;
      socket.write(chunk);
    });
  }
}
