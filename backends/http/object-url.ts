// From a key to the URL of a file under the endpoint, one to one: every byte that has a meaning in a URL is escaped,
// '//' stays '//', and what URLs fold away is refused rather than turned into another object.
import { BackendError } from '../backend.ts';

/** An address as configured, checked: an http or https URL that carries nothing but where to ask. */
export function parseEndpoint(endpoint: string, setting: string): URL {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new BackendError('Misconfigured', `${setting} must be an http:// or https:// URL.`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new BackendError('Misconfigured', `${setting} must not carry credentials; they have settings of their own.`);
  }
  if (url.search !== '' || url.hash !== '') {
    throw new BackendError('Misconfigured', `${setting} must not carry a query or a fragment.`);
  }
  return url;
}

/** Rejects keys with a '.' or '..' segment, or that are not well-formed Unicode, with InvalidArgument. */
export function objectUrl(endpoint: URL, key: string): URL {
  const base = endpoint.href.endsWith('/') ? endpoint.href : `${endpoint.href}/`;
  return new URL(base + encodeKey(key));
}

/** Percent-encodes all but '/' and unreserved characters. */
export function encodeKey(key: string): string {
  if (/\p{Surrogate}/u.test(key)) throw new BackendError('InvalidArgument', 'The key is not well-formed Unicode.');
  const segments = key.split('/');
  if (segments.some((segment) => segment === '.' || segment === '..')) {
    throw new BackendError('InvalidArgument', "This origin has no names with a '.' or '..' segment.");
  }
  return segments.map(encodeSegment).join('/');
}

function encodeSegment(segment: string): string {
  return encodeURIComponent(segment).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
