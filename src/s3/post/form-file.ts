// The file of a posted form, as a body of known length. A request's length and where its file begins tell the file's
// length, if the file is the form's last part, so that it streams. Small forms are read whole, and may have parts
// behind their file, such as the button that sent them, which are ignored.
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { type BodyDecoder, type BodyErrors, guardBody } from '../../objects/guarded-body.ts';
import { S3Error } from '../errors.ts';
import type { FormHead } from './multipart-form.ts';

export interface FormFile {
  readonly sizeBytes: number;
  readonly stream: Readable;
}

const ERRORS: BodyErrors = {
  wrongSize: () =>
    new S3Error('MalformedPOSTRequest', 'The file must be the last part of the form, which ends as RFC 2046 has it.'),
  broken: (receivedBytes, cause) =>
    new S3Error('IncompleteBody', `The connection was lost after ${receivedBytes} bytes of the file.`, { cause }),
};

/** `bodyBytes`: of the whole request. */
export async function openFormFile(
  request: IncomingMessage,
  head: FormHead,
  bodyBytes: number,
  options: { readonly wholeFormBytes: number },
): Promise<FormFile> {
  const restBytes = bodyBytes - head.fileStart;
  if (restBytes <= options.wholeFormBytes) return readWhole(request, head, restBytes);
  const sizeBytes = restBytes - head.delimiter.length - '--\r\n'.length;
  const decoder = new FileDecoder(head.delimiter);
  return { sizeBytes, stream: guard(request, sizeBytes, decoder) };
}

async function readWhole(request: IncomingMessage, head: FormHead, restBytes: number): Promise<FormFile> {
  const chunks: Buffer[] = [];
  for await (const chunk of guard(request, restBytes)) chunks.push(chunk);
  const rest = Buffer.concat(chunks);
  const sizeBytes = rest.indexOf(head.delimiter);
  if (sizeBytes === -1) throw new S3Error('MalformedPOSTRequest');
  const ending = rest.toString('latin1', sizeBytes + head.delimiter.length, sizeBytes + head.delimiter.length + 2);
  if (ending !== '--' && ending !== '\r\n') throw new S3Error('MalformedPOSTRequest');
  return { sizeBytes, stream: Readable.from([rest.subarray(0, sizeBytes)], { objectMode: false }) };
}

function guard(source: Readable, sizeBytes: number, decoder?: BodyDecoder): Readable {
  const file = guardBody(source, { sizeBytes, hashers: [], verify: () => undefined, decoder, errors: ERRORS });
  // Where a form is refused before its file is read, nobody listens to what becomes of the file.
  return file.on('error', () => undefined);
}

/** Gives what comes before the delimiter, and has nothing come behind it but the form's own end. */
class FileDecoder implements BodyDecoder {
  readonly #delimiter: Buffer;
  /** Of the file, unless it turns out to be the delimiter's beginning. */
  #held: Buffer = Buffer.alloc(0);
  #ending: string | undefined;

  constructor(delimiter: Buffer) {
    this.#delimiter = delimiter;
  }

  decode(chunk: Buffer, give: (bytes: Buffer) => void): void {
    if (this.#ending !== undefined) {
      this.#end(this.#ending + chunk.toString('latin1', 0, 5));
      return;
    }
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const found = bytes.indexOf(this.#delimiter);
    const fileBytes = found === -1 ? Math.max(0, bytes.length - this.#delimiter.length + 1) : found;
    if (fileBytes > 0) give(bytes.subarray(0, fileBytes));
    this.#held = bytes.subarray(fileBytes);
    if (found !== -1)
      this.#end(bytes.toString('latin1', found + this.#delimiter.length, found + this.#delimiter.length + 5));
  }

  end(): void {
    if (this.#ending !== '--\r\n') throw ERRORS.wrongSize(0, 0);
  }

  #end(ending: string): void {
    if (!'--\r\n'.startsWith(ending)) throw ERRORS.wrongSize(0, 0);
    this.#ending = ending;
  }
}
