// Asks a running gateway over its admin port. What goes wrong on the way becomes a sentence for the operator.
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { z } from 'zod';

export interface AdminAddress {
  readonly url: URL;
  readonly token: string | undefined;
}

/** A document of the gateway is small; what is longer than this comes from something else. */
const DOCUMENT_MAX_BYTES = 4 * 1024 * 1024;

const refusalSchema = z.object({ error: z.string() });

export class AdminClient {
  readonly #address: AdminAddress;

  constructor(address: AdminAddress) {
    this.#address = address;
  }

  async get<Document>(path: string, schema: z.ZodType<Document>, signal: AbortSignal): Promise<Document> {
    const answer = await this.#ask('GET', path, signal);
    return this.#parsed(await this.#textOf(answer), schema);
  }

  /** The documents of an answer that has one on each line, as they come. Rejects when it breaks off. */
  async *post<Document>(
    path: string,
    schema: z.ZodType<Document>,
    signal: AbortSignal,
  ): AsyncGenerator<Document, void, undefined> {
    const answer = await this.#ask('POST', path, signal);
    let rest = '';
    for await (const chunk of this.#chunks(answer)) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > DOCUMENT_MAX_BYTES) throw this.#notGateway('its lines do not end');
      for (const line of lines) yield this.#parsed(line, schema);
    }
  }

  async #ask(method: 'GET' | 'POST', path: string, signal: AbortSignal): Promise<IncomingMessage> {
    const { url, token } = this.#address;
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const sent = send(new URL(path, url), { method, headers, signal, agent: false });
    sent.end();
    let answer: IncomingMessage;
    try {
      [answer] = (await once(sent, 'response')) as [IncomingMessage];
    } catch (cause) {
      throw new Error(`No gateway answers at ${url.origin} (${messageOf(cause)}). Is it running there?`, { cause });
    }
    if (answer.statusCode === 200) return answer;
    throw this.#refused(answer.statusCode ?? 0, await this.#textOf(answer));
  }

  async #textOf(answer: IncomingMessage): Promise<string> {
    let text = '';
    for await (const chunk of this.#chunks(answer)) {
      text += chunk;
      if (text.length > DOCUMENT_MAX_BYTES) throw this.#notGateway('its answer does not end');
    }
    return text;
  }

  async *#chunks(answer: IncomingMessage): AsyncGenerator<string, void, undefined> {
    try {
      for await (const chunk of answer.setEncoding('utf8')) yield String(chunk);
    } catch (cause) {
      const { origin } = this.#address.url;
      throw new Error(`The gateway at ${origin} broke off its answer (${messageOf(cause)}).`, { cause });
    }
  }

  #refused(status: number, text: string): Error {
    if (status === 401) {
      const hint = 'give the one of its configuration as DFSTORE_ADMIN_TOKEN or by --token';
      return new Error(`The gateway at ${this.#address.url.origin} asks for its admin token: ${hint}.`);
    }
    if (status === 404) return this.#notGateway('it does not know the question');
    return new Error(this.#parsed(text, refusalSchema).error);
  }

  #parsed<Document>(text: string, schema: z.ZodType<Document>): Document {
    let document: unknown;
    try {
      document = JSON.parse(text);
    } catch {
      throw this.#notGateway('it does not answer in JSON');
    }
    const parsed = schema.safeParse(document);
    if (parsed.success) return parsed.data;
    throw this.#notGateway(z.prettifyError(parsed.error));
  }

  #notGateway(why: string): Error {
    return new Error(`What answers at ${this.#address.url.origin} is not the admin port of this version: ${why}.`);
  }
}

/** Where several addresses were tried, the error itself says nothing. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join(', ');
  return error instanceof Error ? error.message : String(error);
}
