// Counts what an origin is asked and how many bytes it gives, whatever implements it, and puts its name on its errors.
import { PassThrough, pipeline } from 'node:stream';
import { type Backend, BackendError, type ObjectRead } from '../../backends/backend.ts';

export interface OriginObserver {
  /** The operator's name for it. */
  readonly name: string;
  /** One call of the backend's contract; it may have cost the origin more than one HTTP request. */
  requested(operation: string): void;
  /** Bytes of object bodies that came from the origin. */
  readBytes(count: number): void;
}

/** The same backend, observed. Absent abilities stay absent. */
export function observeBackend(backend: Backend, observer: OriginObserver): Backend {
  const read: Backend['read'] = async (...args) => {
    observer.requested('read');
    try {
      return countBytes(await backend.read(...args), observer);
    } catch (error) {
      throw named(error, observer);
    }
  };
  return withCallsObserved(backend, observer, {
    read,
    multipart: backend.multipart && withCallsObserved(backend.multipart, observer),
    tagging: backend.tagging && withCallsObserved(backend.tagging, observer),
    versioning: backend.versioning && withCallsObserved(backend.versioning, observer),
    buckets: backend.buckets && withCallsObserved(backend.buckets, observer),
    bucketDocuments: backend.bucketDocuments && withCallsObserved(backend.bucketDocuments, observer),
  });
}

function withCallsObserved<T extends object>(target: T, observer: OriginObserver, replaced: Partial<T> = {}): T {
  return new Proxy(target, {
    get(_, name) {
      if (Object.hasOwn(replaced, name)) return Reflect.get(replaced, name);
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return async (...args: unknown[]) => {
        if (name !== 'close') observer.requested(String(name));
        try {
          return await Reflect.apply(member, target, args);
        } catch (error) {
          throw named(error, observer);
        }
      };
    },
  });
}

function countBytes(read: ObjectRead, observer: OriginObserver): ObjectRead {
  const counted = new PassThrough({
    readableHighWaterMark: 1024 * 1024,
    transform(chunk: Buffer, _encoding, done) {
      observer.readBytes(chunk.length);
      done(null, chunk);
    },
  });
  read.body.once('error', (error) => named(error, observer));
  // The error reaches whoever reads `counted`, which pipeline destroys with it.
  pipeline(read.body, counted, () => undefined);
  return { ...read, body: counted };
}

/** The very same error: an upload's reader compares it with the one its body was destroyed with. */
function named(error: unknown, { name }: OriginObserver): unknown {
  if (error instanceof BackendError) error.backend ??= name;
  return error;
}
