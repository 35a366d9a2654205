// The canned access list of an object: part of its record, changed without its file.
import type { CannedAcl, ObjectAcls, VersionRef } from '../backend.ts';
import { requireVersion } from './find-version.ts';
import { objectLock } from './records.ts';
import type { FsRoot } from './root.ts';

export function objectAclsOf(
  root: Pick<FsRoot, 'index' | 'layout' | 'locks' | 'buckets' | 'journal'>,
  run: <T>(signal: AbortSignal, work: () => Promise<T>) => Promise<T>,
): ObjectAcls {
  const replace = async (ref: VersionRef, acl: CannedAcl | undefined, signal: AbortSignal) => {
    const { row, rowName: key, versionId } = await requireVersion(root, ref);
    signal.throwIfAborted();
    await root.journal.amend(ref, [{ type: 'put', key, value: { ...row, acl } }]);
    return { versionId };
  };
  return {
    set: (ref, acl, signal) =>
      run(signal, () =>
        root.buckets.within(ref.bucket, () => root.locks.alone(objectLock(ref), () => replace(ref, acl, signal))),
      ),
  };
}
