// A slow wire to a server on this machine: TCP connections passed on, with one rate for all that comes back.
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { pipeline } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';

export class SlowWire {
  readonly url: string;
  readonly #server: Server;
  readonly #sockets: ReadonlySet<Socket>;

  private constructor(server: Server, sockets: ReadonlySet<Socket>, port: number) {
    this.#server = server;
    this.#sockets = sockets;
    this.url = `http://127.0.0.1:${port}`;
  }

  /** Bytes a second, over all connections. */
  static async open(target: URL, bytesPerSecond: number): Promise<SlowWire> {
    const sockets = new Set<Socket>();
    const turn = turnstile(bytesPerSecond);
    const server = createServer((client) => join(client, connect(Number(target.port), target.hostname), sockets, turn));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('The slow wire has no port.');
    return new SlowWire(server, sockets, address.port);
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

type Turn = (bytes: number) => Promise<void>;

/** Resolves when as many bytes may pass. */
function turnstile(bytesPerSecond: number): Turn {
  let freeAt = 0;
  return async (bytes) => {
    const now = performance.now();
    freeAt = Math.max(now, freeAt) + (1000 * bytes) / bytesPerSecond;
    await pause(freeAt - now);
  };
}

/** When one end closes or fails, so does the other. */
function join(client: Socket, server: Socket, sockets: Set<Socket>, turn: Turn): void {
  const ends = [client, server];
  const part = () => {
    for (const socket of ends) socket.destroy();
  };
  for (const socket of ends) {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  }
  pipeline(client, server, part);
  pipeline(server, (chunks: AsyncIterable<Buffer>) => inTurn(chunks, turn), client, part);
}

async function* inTurn(chunks: AsyncIterable<Buffer>, turn: Turn): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    await turn(chunk.length);
    yield chunk;
  }
}
