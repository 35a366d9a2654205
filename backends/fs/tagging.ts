// The tags of an object: part of its record, changed without its file.
import type { Tagging, Tags, VersionRef } from '../backend.ts';
import { requireObject } from './reading.ts';
import { objectLock } from './records.ts';
import type { FsRoot } from './root.ts';

interface FsTaggingDeps {
  readonly root: Pick<FsRoot, 'index' | 'layout' | 'locks' | 'buckets' | 'journal'>;
  /** The backend's own frame around each method. */
  readonly run: <T>(signal: AbortSignal, work: () => Promise<T>) => Promise<T>;
}

export class FsTagging implements Tagging {
  readonly #deps: FsTaggingDeps;

  constructor(deps: FsTaggingDeps) {
    this.#deps = deps;
  }

  get(ref: VersionRef, signal: AbortSignal): Promise<{ tags: Tags }> {
    return this.#deps.run(signal, async () => {
      const { tags } = await requireObject(this.#deps.root, ref);
      return { tags: tags ?? {} };
    });
  }

  async set(ref: VersionRef, tags: Tags, signal: AbortSignal): Promise<Record<string, never>> {
    await this.#replace(ref, tags, signal);
    return {};
  }

  async delete(ref: VersionRef, signal: AbortSignal): Promise<Record<string, never>> {
    await this.#replace(ref, undefined, signal);
    return {};
  }

  #replace(ref: VersionRef, tags: Tags | undefined, signal: AbortSignal): Promise<void> {
    const { root, run } = this.#deps;
    return run(signal, () =>
      root.buckets.within(ref.bucket, () =>
        root.locks.alone(objectLock(ref), async () => {
          const row = await requireObject(root, ref);
          signal.throwIfAborted();
          await root.journal.amend({ bucket: ref.bucket, key: ref.key }, { ...row, tags });
        }),
      ),
    );
  }
}
