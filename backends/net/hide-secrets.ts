// Keeps an origin's secrets out of its errors. Origins repeat in their messages what they were sent, and messages reach
// logs, /status and sometimes clients: every error of the backend passes here before anybody else sees it.
import type { Readable } from 'node:stream';
import type { Backend, ObjectRead } from '../backend.ts';

const HIDDEN = '(secret)';
/** Shorter ones are words that messages are made of. */
const SECRET_MIN_CHARACTERS = 4;
const MAX_CAUSES = 8;

/**
 * The same backend, its errors changed in place: an upload's caller compares them with its own. `secrets` is asked at
 * each error, because some change while the backend is open.
 */
export function hideSecrets(backend: Backend, secrets: () => readonly string[]): Backend {
  const hide = (error: unknown) => clean(error, writtenForms(secrets()));
  const read: Backend['read'] = async (...args) => {
    try {
      return cleanRead(await backend.read(...args), hide);
    } catch (error) {
      throw hide(error);
    }
  };
  return withErrors(backend, hide, {
    read,
    capabilities: backend.capabilities,
  });
}

type Hide = (error: unknown) => unknown;

function withErrors<T extends object>(target: T, hide: Hide, replaced: Partial<T> = {}): T {
  return new Proxy(target, {
    get(_, name) {
      if (Object.hasOwn(replaced, name)) return Reflect.get(replaced, name);
      const member: unknown = Reflect.get(target, name);
      // An ability that is an object of its own, such as multipart.
      if (typeof member === 'object' && member !== null) return withErrors(member, hide);
      if (typeof member !== 'function') return member;
      return async (...args: unknown[]) => {
        try {
          return await Reflect.apply(member, target, args);
        } catch (error) {
          throw hide(error);
        }
      };
    },
  });
}

/** Before its readers: listeners hear an error in the order in which they came. */
function cleanRead(read: ObjectRead, hide: Hide): ObjectRead {
  const body: Readable = read.body;
  body.prependOnceListener('error', hide);
  return read;
}

function clean(error: unknown, written: readonly string[]): unknown {
  let current = error;
  for (let depth = 0; depth < MAX_CAUSES && current instanceof Error; depth += 1) {
    for (const name of Object.getOwnPropertyNames(current)) {
      const text: unknown = Reflect.get(current, name);
      if (typeof text !== 'string') continue;
      const cleaned = written.reduce((rest, secret) => rest.replaceAll(secret, HIDDEN), text);
      if (cleaned !== text) Reflect.set(current, name, cleaned);
    }
    current = current.cause;
  }
  return error;
}

/** Longest first: one may be part of another. */
function writtenForms(secrets: readonly string[]): readonly string[] {
  const forms = new Set(secrets.filter(isLongEnough).flatMap(waysToWrite));
  return [...forms].sort((left, right) => right.length - left.length);
}

function isLongEnough(secret: string): boolean {
  return secret.length >= SECRET_MIN_CHARACTERS;
}

/** As it is, in a URL (of two kinds), in JSON. */
function waysToWrite(secret: string): string[] {
  return [
    secret,
    encodeURIComponent(secret),
    new URLSearchParams({ secret }).toString().slice('secret='.length),
    JSON.stringify(secret).slice(1, -1),
  ];
}
