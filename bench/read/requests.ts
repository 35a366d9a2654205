// The requests of a row as they go on the wire: signed for a gateway, plain for nginx.
import { signedHeaders } from '../../test/support/signed-request.ts';
import { KEY } from './gateway-process.ts';
import { BIG, COLD, SMALL } from './nginx-process.ts';
import type { Row } from './rows.ts';

const CREDENTIAL = { ...KEY, name: 'bench', account: 'bench' };
const RANGES = 256;
/** Ranges begin where pages do. */
const ALIGN_BYTES = 4096;
/** Of cold objects, each asked for once: more than a window can take. */
const COLD_OBJECTS = 1024;

export interface Wanted {
  readonly path: string;
  readonly range: string | undefined;
}

let coldObjects = 0;

export function wantedBy({ object, rangeBytes }: Row): readonly Wanted[] {
  if (object === 'cold') {
    return Array.from({ length: COLD_OBJECTS }, () => {
      coldObjects += 1;
      return { path: `${COLD.folder}/${coldObjects}`, range: undefined };
    });
  }
  const { name, bytes } = object === 'big' ? BIG : SMALL;
  if (rangeBytes === undefined) return [{ path: name, range: undefined }];
  const places = Math.floor((bytes - rangeBytes) / ALIGN_BYTES);
  return Array.from({ length: RANGES }, () => {
    const start = Math.floor(Math.random() * (places + 1)) * ALIGN_BYTES;
    return { path: name, range: `bytes=${start}-${start + rangeBytes - 1}` };
  });
}

/** Good for 15 minutes, as signatures are. */
export function signedRequest({ path, range }: Wanted, bucket: string, port: number): string {
  const target = `/${bucket}/${path}`;
  const headers = signedHeaders(
    { path: target, headers: { 'user-agent': 'dfstore-bench', ...rangeHeader(range) }, credential: CREDENTIAL },
    `127.0.0.1:${port}`,
  );
  return requestText(target, headers);
}

export function plainRequest({ path, range }: Wanted, port: number): string {
  const headers = { host: `127.0.0.1:${port}`, 'user-agent': 'dfstore-bench', ...rangeHeader(range) };
  return requestText(`/${path}`, headers);
}

function rangeHeader(range: string | undefined): Record<string, string> {
  return range === undefined ? {} : { range };
}

function requestText(target: string, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${target} HTTP/1.1\r\n${lines.join('')}\r\n`;
}
