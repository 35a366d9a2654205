// A backend in which time passes: before each call takes effect, and between that and its answer, as on a network.
import type { Backend } from '../../backends/backend.ts';

/** `pause` is awaited before and after every call of the backend and of its multipart uploads. */
export function delayingBackend(backend: Backend, pause: () => Promise<void>): Backend {
  return delayed(backend, pause, { multipart: backend.multipart && delayed(backend.multipart, pause, {}) });
}

function delayed<T extends object>(target: T, pause: () => Promise<void>, replaced: Partial<T>): T {
  return new Proxy(target, {
    get(_, name) {
      if (Object.hasOwn(replaced, name)) return Reflect.get(replaced, name);
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return async (...args: unknown[]) => {
        await pause();
        try {
          return await Reflect.apply(member, target, args);
        } finally {
          await pause();
        }
      };
    },
  });
}
