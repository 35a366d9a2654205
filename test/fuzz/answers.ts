// What a client may be answered, whatever it sent: HTTP that can be told apart, and in it S3's XML or nothing.
import { Parser } from 'xml2js';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** The statuses that S3 has; a 500 is never an answer to a request, however strange. */
const STATUSES = new Set([200, 204, 206, 303, 304, 400, 403, 404, 405, 409, 411, 412, 416, 501, 503]);

/**
 * Everything a connection gave until it closed, as answers to `methods` in turn; interim ones are left out. An answer
 * cut short is an Error: that the connection ended is for the caller to judge.
 */
export function readAnswers(received: Buffer, methods: readonly string[]): HttpAnswer[] {
  const answers: HttpAnswer[] = [];
  let rest = received;
  while (rest.length > 0) {
    const end = rest.indexOf('\r\n\r\n');
    if (end === -1) throw new Error('What came is no HTTP head.');
    const [line = '', ...lines] = rest.toString('latin1', 0, end).split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(line)?.[1] ?? Number.NaN);
    if (Number.isNaN(status)) throw new Error(`What came begins with no status: ${line.slice(0, 100)}`);
    rest = rest.subarray(end + 4);
    if (status < 200) continue;
    const headers = new Map(lines.map((text) => headerOf(text)));
    const empty = methods[answers.length] === 'HEAD' || status === 204 || status === 304;
    const { body, taken } = empty ? { body: Buffer.alloc(0), taken: 0 } : readBody(rest, headers);
    answers.push({ status, headers, body });
    rest = rest.subarray(taken);
  }
  return answers;
}

/** Rejects with what is wrong with an answer. */
export async function judge(answer: HttpAnswer, method: string | undefined): Promise<void> {
  const { status, headers, body } = answer;
  const told = `${method ?? 'A request'} was answered ${status} ${body.toString('utf8').slice(0, 400)}`;
  if (!STATUSES.has(status)) throw new Error(`${told}, which S3 has no reason for.`);
  if (headers.get('x-amz-request-id') === undefined) throw new Error(`${told} without a request id.`);
  if (method === 'HEAD' || body.length === 0) {
    if (status >= 400 && method !== 'HEAD') throw new Error(`${told} without saying why.`);
    return;
  }
  // The bytes of an object are whatever they are.
  if (status < 300 && headers.get('x-dfstore-source') !== undefined) return;
  if (headers.get('content-type') !== 'application/xml') throw new Error(`${told}, which is not declared as XML.`);
  const root = await rootOf(body);
  if (status >= 400 && root !== 'Error') throw new Error(`${told}, which is no S3 error.`);
}

async function rootOf(body: Buffer): Promise<string> {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  const parser = new Parser({ strict: true });
  const document = (await parser.parseStringPromise(text)) as Record<string, unknown>;
  const [root = ''] = Object.keys(document);
  return root;
}

function readBody(rest: Buffer, headers: ReadonlyMap<string, string>): { body: Buffer; taken: number } {
  if (headers.get('transfer-encoding') === 'chunked') return readChunks(rest);
  const said = headers.get('content-length');
  const length = said === undefined ? rest.length : Number(said);
  if (rest.length < length) throw new Error(`An answer of ${length} bytes was cut short.`);
  return { body: rest.subarray(0, length), taken: length };
}

function readChunks(rest: Buffer): { body: Buffer; taken: number } {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const end = rest.indexOf('\r\n', at);
    const size = end === -1 ? Number.NaN : Number.parseInt(rest.toString('latin1', at, end), 16);
    if (Number.isNaN(size) || rest.length < end + 2 + size + 2) throw new Error('A chunked answer was cut short.');
    if (size === 0) return { body: Buffer.concat(chunks), taken: end + 4 };
    chunks.push(rest.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}

function headerOf(text: string): readonly [string, string] {
  const colon = text.indexOf(':');
  return [text.slice(0, colon).toLowerCase(), text.slice(colon + 1).trim()];
}
