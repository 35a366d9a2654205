// How many requests are served at a time, in all and for each access key. Nobody waits: past a limit the client is told
// to slow down, and SDKs do.

export type Release = () => void;

export interface AdmissionOptions {
  readonly maxRequests: number;
  readonly maxRequestsPerKey: number;
  readonly onRefused: (limit: 'requests' | 'requestsPerKey') => void;
}

export class Admission {
  readonly #options: AdmissionOptions;
  readonly #perKey = new Map<string, number>();
  #inFlight = 0;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Undefined: the limit is reached. The result may be called more than once. */
  enter(): Release | undefined {
    if (this.#inFlight >= this.#options.maxRequests) {
      this.#options.onRefused('requests');
      return undefined;
    }
    this.#inFlight += 1;
    return once(() => {
      this.#inFlight -= 1;
    });
  }

  /** The same for one access key, beside enter(). */
  enterKey(accessKeyId: string): Release | undefined {
    const inFlight = this.#perKey.get(accessKeyId) ?? 0;
    if (inFlight >= this.#options.maxRequestsPerKey) {
      this.#options.onRefused('requestsPerKey');
      return undefined;
    }
    this.#perKey.set(accessKeyId, inFlight + 1);
    return once(() => this.#leave(accessKeyId));
  }

  /** A key that is known stays: removing and adding it again would cost each request more than its number takes. */
  #leave(accessKeyId: string): void {
    this.#perKey.set(accessKeyId, (this.#perKey.get(accessKeyId) ?? 1) - 1);
  }
}

function once(leave: () => void): Release {
  let left = false;
  return () => {
    if (left) return;
    left = true;
    leave();
  };
}
