// Counts what an origin is asked and how many bytes it gives, whatever implements it.
import { PassThrough, pipeline } from 'node:stream';
import type { Backend, ObjectRead } from '../../backends/backend.ts';

export interface OriginObserver {
  /** One call of the backend's contract; it may have cost the origin more than one HTTP request. */
  requested(operation: string): void;
  /** Bytes of object bodies that came from the origin. */
  readBytes(count: number): void;
}

/** The same backend, observed. Absent abilities stay absent. */
export function observeBackend(backend: Backend, observer: OriginObserver): Backend {
  const read: Backend['read'] = async (...args) => {
    observer.requested('read');
    return countBytes(await backend.read(...args), observer);
  };
  return withCallsObserved(backend, observer, {
    read,
    multipart: backend.multipart && withCallsObserved(backend.multipart, observer),
    buckets: backend.buckets && withCallsObserved(backend.buckets, observer),
  });
}

function withCallsObserved<T extends object>(target: T, observer: OriginObserver, replaced: Partial<T> = {}): T {
  return new Proxy(target, {
    get(_, name) {
      if (Object.hasOwn(replaced, name)) return Reflect.get(replaced, name);
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        if (name !== 'close') observer.requested(String(name));
        return Reflect.apply(member, target, args);
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
  // The error reaches whoever reads `counted`, which pipeline destroys with it.
  pipeline(read.body, counted, () => undefined);
  return { ...read, body: counted };
}
