// Asks the namenodes of one HDFS for what only the active one answers, and remembers which that is. A namenode that is
// standby, starting, silent or gone hands over to the next; each is asked at most once a request.
import { BackendError } from '../backend.ts';
import type { HttpAnswer, HttpClient } from '../http/http-client.ts';
import { encodeKey } from '../http/object-url.ts';
import { isForAnotherNamenode, remoteError } from './remote-errors.ts';

export interface NamenodesOptions {
  readonly namenodes: readonly URL[];
  readonly user?: string | undefined;
  readonly delegationToken?: string | undefined;
}

export interface Question {
  readonly op: 'GETFILESTATUS' | 'LISTSTATUS_BATCH' | 'OPEN';
  /** Absolute in HDFS. */
  readonly path: string;
  readonly parameters?: Readonly<Record<string, string>> | undefined;
}

export interface NamenodeAnswer extends HttpAnswer {
  readonly url: URL;
}

export class Namenodes {
  readonly #client: Pick<HttpClient, 'request'>;
  readonly #options: NamenodesOptions;
  #active = 0;

  constructor(deps: { client: Pick<HttpClient, 'request'> }, options: NamenodesOptions) {
    this.#client = deps.client;
    this.#options = options;
  }

  /** An answer that is no error; it may be a redirect. */
  async ask(question: Question, signal: AbortSignal): Promise<NamenodeAnswer> {
    const { namenodes } = this.#options;
    const first = this.#active;
    const failures: unknown[] = [];
    for (let step = 0; step < namenodes.length; step += 1) {
      const index = (first + step) % namenodes.length;
      const namenode = namenodes[index];
      if (namenode === undefined) break;
      try {
        const answer = await this.#askOne(namenode, question, signal);
        this.#active = index;
        return answer;
      } catch (error) {
        signal.throwIfAborted();
        if (!isForAnotherNamenode(error)) {
          this.#active = index;
          throw error;
        }
        failures.push(error);
      }
    }
    throw nobodyAnswered(failures);
  }

  async #askOne(namenode: URL, question: Question, signal: AbortSignal): Promise<NamenodeAnswer> {
    const url = this.#url(namenode, question);
    const answer = await this.#client.request({ method: 'GET', url }, signal);
    if (answer.status >= 400) throw await remoteError(answer, signal);
    return { ...answer, url };
  }

  #url(namenode: URL, { op, path, parameters }: Question): URL {
    const { user, delegationToken } = this.#options;
    // A token names its owner; Hadoop refuses both together.
    const credentials = delegationToken === undefined ? { 'user.name': user } : { delegation: delegationToken };
    const query = Object.entries({ op, ...credentials, ...parameters })
      .flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`]))
      .join('&');
    return new URL(`${namenode.href.replace(/\/$/, '')}/webhdfs/v1${encodeKey(path)}?${query}`);
  }
}

function nobodyAnswered(failures: readonly unknown[]): BackendError {
  const known = failures.filter((failure) => failure instanceof BackendError);
  const [only] = known;
  if (known.length === 1 && only !== undefined && only.nativeCode !== 'StandbyException') return only;
  const busy = known.find((failure) => failure.code === 'SlowDown');
  if (busy !== undefined) return busy;
  const why = known.map((failure) => failure.message).join(' · ');
  return new BackendError('Unavailable', `No namenode answers as the active one. ${why}`, { cause: known.at(-1) });
}
