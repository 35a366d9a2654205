// A connection that sends exactly the bytes a test wants sent: what no HTTP client would.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export class RawConnection {
  readonly socket: Socket;
  /** Everything received so far, as latin1. */
  received = '';
  readonly closed: Promise<void>;

  private constructor(socket: Socket) {
    this.socket = socket;
    // Resets are an outcome that tests look at through `closed`.
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      this.received += chunk.toString('latin1');
    });
    this.closed = new Promise((resolve) => void socket.once('close', () => resolve()));
  }

  static async open(port: number, tls?: { ca: string | Buffer }): Promise<RawConnection> {
    const socket =
      tls === undefined
        ? connect({ port, host: '127.0.0.1' })
        : connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca: tls.ca });
    const opened = new RawConnection(socket);
    await Promise.race([once(socket, tls === undefined ? 'connect' : 'secureConnect'), opened.closed]);
    return opened;
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** Resolves once the text was received; rejects when the connection closes without it. */
  async until(text: string): Promise<string> {
    while (!this.received.includes(text)) {
      const got = await Promise.race([once(this.socket, 'data'), this.closed]);
      if (got === undefined && !this.received.includes(text)) {
        throw new Error(`The connection closed before '${text}' came; it gave: ${this.received}`);
      }
    }
    return this.received;
  }

  /** Everything the server sends until it closes. */
  async rest(): Promise<string> {
    await this.closed;
    return this.received;
  }
}

/** Sends, and returns everything until the server closes the connection. */
export async function sendRaw(port: number, text: string): Promise<string> {
  const connection = await RawConnection.open(port);
  connection.send(text);
  return connection.rest();
}
