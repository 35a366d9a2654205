// Named locks within one process: many may share a name, one may have it alone, first come first served. Not
// re-entrant. Nesting goes upload → bucket → object, so that no two wait for each other.

interface Waiter {
  readonly alone: boolean;
  readonly enter: () => void;
}

interface Lock {
  /** How many share it now; -1: one has it alone. */
  holders: number;
  readonly queue: Waiter[];
}

export class Locks {
  readonly #locks = new Map<string, Lock>();

  /** The signal ends the waiting, not the work. */
  shared<T>(name: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#hold(name, false, work, signal);
  }

  alone<T>(name: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#hold(name, true, work, signal);
  }

  async #hold<T>(name: string, alone: boolean, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const lock = this.#locks.get(name) ?? { holders: 0, queue: [] };
    this.#locks.set(name, lock);
    if (lock.queue.length === 0 && admits(lock, alone)) take(lock, alone);
    else await this.#wait(name, lock, alone, signal);
    try {
      return await work();
    } finally {
      lock.holders = alone ? 0 : lock.holders - 1;
      this.#admitNext(name, lock);
    }
  }

  #wait(name: string, lock: Lock, alone: boolean, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        lock.queue.splice(lock.queue.indexOf(waiter), 1);
        this.#admitNext(name, lock);
        reject(signal?.reason);
      };
      const waiter: Waiter = {
        alone,
        enter: () => {
          signal?.removeEventListener('abort', leave);
          take(lock, alone);
          resolve();
        },
      };
      lock.queue.push(waiter);
      signal?.addEventListener('abort', leave, { once: true });
    });
  }

  #admitNext(name: string, lock: Lock): void {
    for (let next = lock.queue[0]; next !== undefined && admits(lock, next.alone); next = lock.queue[0]) {
      lock.queue.shift();
      next.enter();
    }
    if (lock.holders === 0 && lock.queue.length === 0) this.#locks.delete(name);
  }
}

function admits(lock: Lock, alone: boolean): boolean {
  return alone ? lock.holders === 0 : lock.holders >= 0;
}

function take(lock: Lock, alone: boolean): void {
  lock.holders = alone ? -1 : lock.holders + 1;
}
