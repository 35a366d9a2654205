// A request as the dialect sees it: the wire's words, taken apart once and never normalised, because signatures are
// over exactly what was sent.
import type { Readable } from 'node:stream';

export interface S3Request {
  /** Also in every answer, as x-amz-request-id and <RequestId>. */
  readonly id: string;
  readonly method: string;
  /** The path as sent, still percent-encoded, without the query. */
  readonly rawPath: string;
  /** In the order sent; names and values percent-decoded ('+' is a space only where S3 says so); 'k' alone is ['k', '']. */
  readonly query: readonly (readonly [name: string, value: string])[];
  /** Node's: lower-case names, duplicates joined. Values are bytes as latin1. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Undefined: the request names no bucket (or no key). Decoded once, as UTF-8. */
  readonly bucket: string | undefined;
  readonly key: string | undefined;
  readonly remoteAddress: string;
  readonly secure: boolean;
  /** The body as it comes from the socket. */
  readonly body: Readable;
  /** Sends '100 Continue' if the client waits for it; called only once the request is authorised. */
  readonly proceed: () => void;
}
