// Requests that a client sends without waiting for answers take turns: each begins when the one before it was answered.
// In parallel, two writes of one client could overtake each other; and Node tells nobody that the connection is gone
// whose answer still waits behind another, so that what was begun for it would never end.
import type { Socket } from 'node:net';

type Turn = () => void;

/** More waiting requests than this on one connection are no client's habit. */
const MAX_WAITING = 64;

interface Queue {
  isBusy: boolean;
  readonly waiting: Turn[];
}

export class Turns {
  /** For as long as the connection is there: most requests come when nobody waits. */
  readonly #queues = new WeakMap<Socket, Queue>();

  /** `begin` is called when it is this request's turn; never when the connection does not last until then. */
  take(socket: Socket, begin: Turn): void {
    const queue = this.#queueOf(socket);
    if (!queue.isBusy) {
      queue.isBusy = true;
      begin();
    } else if (queue.waiting.length < MAX_WAITING) queue.waiting.push(begin);
    else socket.destroy();
  }

  /** The one whose turn it was has been answered. */
  pass(socket: Socket): void {
    const queue = this.#queueOf(socket);
    // After an answer that ends the connection, nobody would hear the next.
    if (!socket.writable) queue.waiting.length = 0;
    const next = queue.waiting.shift();
    if (next === undefined) queue.isBusy = false;
    else next();
  }

  #queueOf(socket: Socket): Queue {
    const known = this.#queues.get(socket);
    if (known !== undefined) return known;
    const queue = { isBusy: false, waiting: [] };
    this.#queues.set(socket, queue);
    return queue;
  }
}
