// Requests that a client sends without waiting for answers take turns: each begins when the one before it was answered.
// In parallel, two writes of one client could overtake each other; and Node tells nobody that the connection is gone
// whose answer still waits behind another, so that what was begun for it would never end.
import type { Socket } from 'node:net';

type Turn = () => void;

/** More waiting requests than this on one connection are no client's habit. */
const MAX_WAITING = 64;

export class Turns {
  /** Those who wait on each connection that is busy. */
  readonly #waiting = new WeakMap<Socket, Turn[]>();

  /** `begin` is called when it is this request's turn; never when the connection does not last until then. */
  take(socket: Socket, begin: Turn): void {
    const waiting = this.#waiting.get(socket);
    if (waiting === undefined) {
      this.#waiting.set(socket, []);
      begin();
    } else if (waiting.length < MAX_WAITING) waiting.push(begin);
    else socket.destroy();
  }

  /** The one whose turn it was has been answered. */
  pass(socket: Socket): void {
    const next = this.#waiting.get(socket)?.shift();
    // After an answer that ends the connection, nobody would hear the next.
    if (next === undefined || !socket.writable) this.#waiting.delete(socket);
    else next();
  }
}
