// One answer on its way out: who gives it, proved, with the headers that all answers have.
import type { ServerResponse } from 'node:http';
import { type AnswerType, HEADERS, MESH_VERSION, TYPES } from './protocol.ts';
import type { SharedSecret } from './shared-secret.ts';

export interface ReplyFrom {
  /** This gateway, as its header says it. */
  readonly from: string;
  readonly secret: SharedSecret | undefined;
  readonly listHash: () => string;
}

export class Reply {
  readonly res: ServerResponse;
  readonly #sender: ReplyFrom;
  /** Of the request; what is not proved is not answered with a proof. */
  #mac: string | undefined;

  constructor(res: ServerResponse, sender: ReplyFrom) {
    res.sendDate = false;
    // Whoever leaves is seen by 'close'; what is written after it has nobody to fail.
    res.on('error', () => undefined);
    this.res = res;
    this.#sender = sender;
  }

  proveFor(mac: string | undefined): void {
    this.#mac = mac;
  }

  /** All of it in one write. */
  whole(status: number, body: unknown, more: readonly string[] = []): void {
    const text = JSON.stringify(body) ?? 'null';
    this.#end(status, TYPES.ask, text, text, more);
  }

  /** A streamed answer that turned out to be there at once. */
  streamedWhole(type: AnswerType, text: string): void {
    this.#end(200, type, text, '', []);
  }

  /** Headers of a streamed answer; they go out with the first write, or by flushHeaders(). */
  begin(type: AnswerType): void {
    this.res.writeHead(200, this.#headers(200, type, ''));
  }

  #end(status: number, type: AnswerType, text: string, proved: string, more: readonly string[]): void {
    const length = ['content-length', String(Buffer.byteLength(text, 'utf8'))];
    this.res.writeHead(status, [...this.#headers(status, type, proved), ...length, ...more]);
    this.res.end(text, 'utf8');
  }

  #headers(status: number, type: AnswerType, body: string): string[] {
    const { from, secret } = this.#sender;
    const members = this.#sender.listHash();
    const headers = ['content-type', type, HEADERS.version, MESH_VERSION, HEADERS.from, from, HEADERS.members, members];
    if (secret === undefined || this.#mac === undefined) return headers;
    const facts = { version: MESH_VERSION, mac: this.#mac, status, type, from, members, body };
    headers.push(HEADERS.proof, secret.proveReply(facts));
    return headers;
  }
}
