// Where a file server may send the gateway: within the endpoint's own origin, and to hosts the configuration names.
// Never from https to http, and never with the credentials meant for the endpoint.
import { BackendError } from '../backend.ts';
import type { HttpAnswer } from './http-client.ts';

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export function isRedirect(answer: HttpAnswer): boolean {
  return REDIRECTS.has(answer.status);
}

/** Rejects with Misconfigured when it may not be followed, with NoSuchKey when it only says "this is a directory". */
export function redirectTarget(from: URL, answer: HttpAnswer, endpoint: URL, allowedHosts: readonly string[]): URL {
  const location = answer.headers.location;
  if (location === undefined || !URL.canParse(location, from.href)) {
    throw new BackendError('Internal', `The origin answered ${answer.status} without saying where to go.`);
  }
  const target = new URL(location, from);
  if (target.pathname === `${from.pathname}/`) throw new BackendError('NoSuchKey', 'The key names a directory.');
  requireAllowed(from, target, endpoint, allowedHosts);
  target.hash = '';
  return target;
}

function requireAllowed(from: URL, target: URL, endpoint: URL, allowedHosts: readonly string[]): void {
  if (from.protocol === 'https:' && target.protocol !== 'https:') {
    throw new BackendError('Misconfigured', `The origin redirects from https to ${target.origin}; not followed.`);
  }
  if (!/^https?:$/.test(target.protocol) || target.username !== '' || target.password !== '') {
    throw new BackendError(
      'Misconfigured',
      'The origin redirects to a URL that is not a plain http one; not followed.',
    );
  }
  if (target.origin !== endpoint.origin && !allowedHosts.includes(target.host)) {
    throw new BackendError(
      'Misconfigured',
      `The origin redirects to ${target.origin}, which is not followed: name '${target.host}' in redirectHosts to allow it.`,
    );
  }
}
