// What the two owners of a name tell each other of what it last stood for: one that has just started, or answers in the
// other's place, would otherwise have bytes read from the origin that the mesh has. Nobody believes it; it is what to
// ask the origin about.
import type { Background } from '../../concurrency/background.ts';
import { type MeshClock, within } from '../clock.ts';
import type { MemberId } from '../member.ts';
import type { LastKnown } from '../names.ts';
import { type MeshClient, MeshError } from '../transport.ts';
import { type KnownName, MAX_TOLD, readRecallReply } from './name-wire.ts';
import { Silence } from './silence.ts';

export interface FellowMemoryDeps {
  readonly client: Pick<MeshClient, 'ask'>;
  readonly clock: MeshClock;
  readonly background: Pick<Background, 'run'>;
}

export interface FellowMemoryOptions {
  /** How long a fellow may take to answer: somebody's read waits for it. */
  readonly patienceMs: number;
}

/** 'unheard': the fellow does not answer. Undefined: he knows nothing of it. */
export type Recalled = LastKnown | 'unheard' | undefined;

/** How long a fellow that did not answer is not asked again. */
const SILENT_MS = 1_000;
/** How long what is to be told waits for more of it. */
const TELL_TOGETHER_MS = 10;

export class FellowMemory {
  readonly #deps: FellowMemoryDeps;
  readonly #options: FellowMemoryOptions;
  readonly #silence: Silence;
  readonly #closing = new AbortController();
  readonly #untold = new Map<MemberId, KnownName[]>();
  readonly #asking = new Map<string, Promise<Recalled>>();

  constructor(deps: FellowMemoryDeps, options: FellowMemoryOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#silence = new Silence(deps, { forMs: SILENT_MS });
  }

  /** Soon, without waiting for an answer: what is lost costs the origin a piece at most. */
  tell(fellow: MemberId, name: KnownName): void {
    const { clock, background } = this.#deps;
    const untold = this.#untold.get(fellow);
    if (untold !== undefined && untold.length < MAX_TOLD) {
      untold.push(name);
      return;
    }
    const names = [name];
    this.#untold.set(fellow, names);
    clock.after(TELL_TOGETHER_MS, () => {
      if (this.#untold.get(fellow) === names) this.#untold.delete(fellow);
      background.run('names', this.#tell(fellow, names));
    });
  }

  /** Those who ask for the same at once ask together. Never rejects. */
  recall(fellow: MemberId, key: string): Promise<Recalled> {
    if (this.#silence.isSilent(fellow)) return Promise.resolve('unheard');
    const asked = `${fellow} ${key}`;
    const asking = this.#asking.get(asked) ?? this.#recall(fellow, key).finally(() => this.#asking.delete(asked));
    this.#asking.set(asked, asking);
    return asking;
  }

  /** Nobody is told or asked any longer. */
  close(): void {
    this.#closing.abort(new MeshError('Closed', 'This gateway is leaving the mesh.'));
  }

  async #tell(fellow: MemberId, names: readonly KnownName[]): Promise<void> {
    if (this.#silence.isSilent(fellow)) return;
    await this.#ask(fellow, 'name-tell', { names }).catch(() => this.#silence.missed(fellow));
  }

  async #recall(fellow: MemberId, key: string): Promise<Recalled> {
    try {
      return readRecallReply(await this.#ask(fellow, 'name-recall', { key })).known;
    } catch {
      this.#silence.missed(fellow);
      return 'unheard';
    }
  }

  #ask(fellow: MemberId, call: 'name-tell' | 'name-recall', body: unknown): Promise<unknown> {
    const { clock, client } = this.#deps;
    const late = () => new MeshError('Unreachable', `${fellow} did not answer in time.`);
    const ask = (signal: AbortSignal) => client.ask(fellow, call, body, signal);
    return within(clock, this.#options.patienceMs, this.#closing.signal, ask, late);
  }
}
