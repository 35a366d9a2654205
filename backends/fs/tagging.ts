// The tags of an object: part of its record, changed without its file.
import type { Tagging, Tags, VersionRef } from '../backend.ts';
import { requireVersion } from './find-version.ts';
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

  get(ref: VersionRef, signal: AbortSignal): ReturnType<Tagging['get']> {
    const { root, run } = this.#deps;
    const read = async () => {
      const { row, versionId } = await requireVersion(root, ref);
      return { tags: row.tags ?? {}, versionId };
    };
    return run(signal, () => root.locks.shared(objectLock(ref), read));
  }

  set(ref: VersionRef, tags: Tags, signal: AbortSignal): ReturnType<Tagging['set']> {
    return this.#replace(ref, tags, signal);
  }

  delete(ref: VersionRef, signal: AbortSignal): ReturnType<Tagging['delete']> {
    return this.#replace(ref, undefined, signal);
  }

  #replace(ref: VersionRef, tags: Tags | undefined, signal: AbortSignal): ReturnType<Tagging['set']> {
    const { root, run } = this.#deps;
    return run(signal, () =>
      root.buckets.within(ref.bucket, () =>
        root.locks.alone(objectLock(ref), async () => {
          const { row, rowName: key, versionId } = await requireVersion(root, ref);
          signal.throwIfAborted();
          await root.journal.amend(ref, [{ type: 'put', key, value: { ...row, tags } }]);
          return { versionId };
        }),
      ),
    );
  }
}
