// Files that belong together, read again when any of them has changed. They are looked at now and then: that sees
// through mounted secrets and network disks, where being told does not. A change that cannot be used keeps what there
// was, for files are written one after the other and not at once.
import { stat } from 'node:fs/promises';

export interface WatchedFilesDeps<Content> {
  /** Rejects with what is wrong with them. */
  readonly read: () => Promise<Content>;
  /** `again`: they have changed. */
  readonly use: (content: Content, again: boolean) => void;
  /** They have changed and cannot be used. Told once for each change. */
  readonly failed: (error: unknown) => void;
}

export interface WatchedFilesOptions {
  readonly paths: readonly string[];
  readonly checkIntervalMs: number;
}

export class WatchedFiles<Content> {
  readonly #deps: WatchedFilesDeps<Content>;
  readonly #paths: readonly string[];
  /** What they looked like when they were last read, usable or not. */
  #seen = '';
  #checking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  private constructor(deps: WatchedFilesDeps<Content>, { paths }: WatchedFilesOptions) {
    this.#deps = deps;
    this.#paths = paths;
  }

  /** Rejects when they cannot be used as they are. */
  static async open<Content>(
    deps: WatchedFilesDeps<Content>,
    options: WatchedFilesOptions,
  ): Promise<WatchedFiles<Content>> {
    const files = new WatchedFiles(deps, options);
    // What is wrong with one that is not there is for read to say.
    files.#seen = await fingerprint(options.paths).catch(() => UNREADABLE);
    deps.use(await deps.read(), false);
    files.#timer = setInterval(() => void files.check(), options.checkIntervalMs).unref();
    return files;
  }

  /** Reads them again if they have changed. Never rejects. */
  check(): Promise<void> {
    this.#checking ??= this.#check().finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#checking;
  }

  async #check(): Promise<void> {
    let seen = UNREADABLE;
    try {
      seen = await fingerprint(this.#paths);
      if (seen === this.#seen) return;
      this.#deps.use(await this.#deps.read(), true);
    } catch (error) {
      if (seen === this.#seen) return;
      this.#deps.failed(error);
    }
    this.#seen = seen;
  }
}

const UNREADABLE = 'unreadable';

/** Taken before the content is read, so that a change in between is seen the next time. */
async function fingerprint(paths: readonly string[]): Promise<string> {
  const facts = await Promise.all(paths.map((path) => stat(path, { bigint: true })));
  return facts.map(({ ino, size, mtimeNs, ctimeNs }) => [ino, size, mtimeNs, ctimeNs].join(' ')).join('\n');
}
