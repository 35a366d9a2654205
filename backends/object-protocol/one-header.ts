// A header of an answer that is meant to come once.
import type { IncomingHttpHeaders } from 'node:http';

export function oneHeader(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}
