// Read and write conditions decided against an object's record, for origins that do not decide them and for what the
// gateway answers by itself. The order is RFC 9110 §13.2.2, which S3 follows.
import {
  BackendError,
  type DeleteConditions,
  type ObjectInfo,
  type ReadConditions,
  type WriteConditions,
} from './backend.ts';

/** Throws NotModified or PreconditionFailed, with the object's record. */
export function checkReadConditions(conditions: ReadConditions | undefined, info: ObjectInfo): void {
  if (conditions === undefined) return;
  const modified = Math.floor(info.lastModified.getTime() / 1000) * 1000;
  if (conditions.ifMatch !== undefined) {
    if (!matches(conditions.ifMatch, info)) throw failed('If-Match', info);
  } else if (conditions.ifUnmodifiedSince !== undefined && modified > conditions.ifUnmodifiedSince.getTime()) {
    throw failed('If-Unmodified-Since', info);
  }
  if (conditions.ifNoneMatch !== undefined) {
    if (conditions.ifNoneMatch.some((etag) => etag === '*' || etag === info.etag)) throw notModified(info);
  } else if (conditions.ifModifiedSince !== undefined && modified <= conditions.ifModifiedSince.getTime()) {
    throw notModified(info);
  }
}

/** Throws NoSuchKey or PreconditionFailed. `current` is undefined when no such object exists. */
export function checkWriteConditions(
  conditions: WriteConditions | undefined,
  current: Pick<ObjectInfo, 'etag'> | undefined,
): void {
  if (conditions?.ifMatch !== undefined) {
    if (current === undefined) throw new BackendError('NoSuchKey', 'If-Match names an object that does not exist.');
    if (conditions.ifMatch !== '*' && conditions.ifMatch !== current.etag) {
      throw new BackendError('PreconditionFailed', 'The object has another ETag than If-Match names.');
    }
  }
  if (conditions?.ifNoneMatch !== undefined && current !== undefined) {
    if (conditions.ifNoneMatch === '*' || conditions.ifNoneMatch === current.etag) {
      throw new BackendError('PreconditionFailed', 'An object that If-None-Match excludes exists.');
    }
  }
}

/** Throws PreconditionFailed. A delete of what is not there has nothing to do, whatever its conditions. */
export function checkDeleteConditions(
  conditions: DeleteConditions | undefined,
  current: Pick<ObjectInfo, 'etag' | 'lastModified' | 'sizeBytes'> | undefined,
): void {
  if (conditions === undefined || current === undefined) return;
  const { ifMatch, lastModified, sizeBytes } = conditions;
  if (ifMatch !== undefined && ifMatch !== '*' && ifMatch !== current.etag) throw refused('ETag');
  if (lastModified !== undefined && seconds(lastModified) !== seconds(current.lastModified)) throw refused('time');
  if (sizeBytes !== undefined && sizeBytes !== current.sizeBytes) throw refused('size');
}

function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}

function refused(what: string): BackendError {
  return new BackendError('PreconditionFailed', `The object has another ${what} than the delete names.`);
}

/** A weak validator never satisfies If-Match (RFC 9110 §13.1.1). */
function matches(etags: readonly string[], info: ObjectInfo): boolean {
  return etags.some((etag) => etag === '*' || (info.identity === 'strong' && etag === info.etag));
}

function failed(header: string, info: ObjectInfo): BackendError {
  return new BackendError('PreconditionFailed', `The object does not satisfy ${header}.`, { info });
}

function notModified(info: ObjectInfo): BackendError {
  return new BackendError('NotModified', 'The object has not changed.', { info });
}
