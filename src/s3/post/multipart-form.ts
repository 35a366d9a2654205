// The fields of a form as browsers post it (multipart/form-data, RFC 7578), up to the first byte of its file. What
// comes behind is left in the request. Fields are limited in number and in bytes, all together.
import type { IncomingMessage } from 'node:http';
import { S3Error } from '../errors.ts';

export interface FormLimits {
  /** Of everything before the file's first byte. */
  readonly maxFormBytes: number;
  readonly maxFormFields: number;
}

export interface FormHead {
  /** By lower-case name, before the file. */
  readonly fields: ReadonlyMap<string, string>;
  /** Without folders; '' where the client names none. */
  readonly fileName: string;
  /** Where in the body the file begins. */
  readonly fileStart: number;
  /** What ends the file. */
  readonly delimiter: Buffer;
}

const CRLF = Buffer.from('\r\n');
const END_OF_HEADERS = Buffer.from('\r\n\r\n');

/** Throws where the body is no form. */
export function formBoundary(contentType: string | undefined): string {
  if (!/^multipart\/form-data\s*(;|$)/i.test(contentType ?? '')) {
    throw new S3Error('PreconditionFailed', undefined, {
      details: { Condition: 'Bucket POST must be of the enclosure-type multipart/form-data' },
    });
  }
  const [, quoted, plain] = /;\s*boundary=(?:"([^"]{1,200})"|([^\s;"]{1,200}))/i.exec(contentType ?? '') ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) throw new S3Error('MalformedPOSTRequest', 'The Content-Type names no boundary.');
  return boundary;
}

/** Leaves the request paused, at the file's first byte. */
export function readFormHead(request: IncomingMessage, boundary: string, limits: FormLimits): Promise<FormHead> {
  const parser = new FormHeadParser(boundary, limits);
  return new Promise((resolve, reject) => {
    const onData = (chunk: Buffer): void => {
      try {
        const found = parser.push(chunk);
        if (found === undefined) return;
        finish();
        if (found.rest.length > 0) request.unshift(found.rest);
        resolve(found.head);
      } catch (error) {
        finish();
        reject(error);
      }
    };
    const onEnd = (): void => {
      finish();
      reject(parser.incomplete());
    };
    const onClose = (): void => {
      finish();
      reject(request.errored ?? new S3Error('IncompleteBody'));
    };
    const finish = (): void => {
      request.off('data', onData).off('end', onEnd).off('close', onClose);
      request.pause();
    };
    request.on('data', onData).on('end', onEnd).on('close', onClose);
  });
}

class FormHeadParser {
  readonly #limits: FormLimits;
  readonly #delimiter: Buffer;
  readonly #fields = new Map<string, string>();
  /** The first delimiter has no line before it; given one, it is like the others. */
  #buffer: Buffer = CRLF;
  /** Everything before it is done with. */
  #position = 0;
  #searchedTo = 0;
  #part: PartHeaders | 'before the first' | undefined = 'before the first';

  constructor(boundary: string, limits: FormLimits) {
    this.#limits = limits;
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
  }

  /** Undefined: the file has not begun. */
  push(chunk: Buffer): { head: FormHead; rest: Buffer } | undefined {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    while (this.#step()) {
      if (typeof this.#part === 'object' && this.#part.name === 'file') return this.#found(this.#part);
    }
    if (this.#buffer.length > this.#limits.maxFormBytes) throw this.#tooLong();
    return undefined;
  }

  incomplete(): S3Error {
    return new S3Error('MalformedPOSTRequest');
  }

  #found({ fileName }: PartHeaders): { head: FormHead; rest: Buffer } {
    if (this.#position > this.#limits.maxFormBytes) throw this.#tooLong();
    const fileStart = this.#position - CRLF.length;
    const head = { fields: this.#fields, fileName, fileStart, delimiter: this.#delimiter };
    return { head, rest: this.#buffer.subarray(this.#position) };
  }

  /** One part's headers, or its content and the delimiter behind it. False: more has to come. */
  #step(): boolean {
    if (this.#part !== undefined) {
      const end = this.#find(this.#delimiter);
      if (end === undefined || this.#buffer.length < end + this.#delimiter.length + 2) return false;
      if (this.#part === 'before the first') {
        if (end !== 0) throw new S3Error('MalformedPOSTRequest');
      } else this.#keep(this.#part, this.#buffer.subarray(this.#position, end));
      this.#advance(end + this.#delimiter.length);
      this.#part = undefined;
      const next = this.#buffer.toString('latin1', this.#position, this.#position + 2);
      if (next === '--') throw new S3Error('IncorrectNumberOfFilesInPostRequest');
      if (next !== '\r\n') throw new S3Error('MalformedPOSTRequest');
    }
    const end = this.#find(END_OF_HEADERS);
    if (end === undefined) return false;
    this.#part = parsePartHeaders(this.#buffer.toString('utf8', this.#position, end));
    this.#advance(end + END_OF_HEADERS.length);
    return true;
  }

  #find(wanted: Buffer): number | undefined {
    const found = this.#buffer.indexOf(wanted, Math.max(this.#position, this.#searchedTo));
    if (found !== -1) return found;
    this.#searchedTo = Math.max(this.#position, this.#buffer.length - wanted.length + 1);
    return undefined;
  }

  #advance(position: number): void {
    this.#position = position;
    this.#searchedTo = position;
  }

  #keep({ name }: PartHeaders, content: Buffer): void {
    if (this.#fields.has(name)) {
      throw new S3Error('InvalidArgument', `The field '${name}' is given more than once.`, {
        details: { ArgumentName: name, ArgumentValue: '' },
      });
    }
    if (this.#fields.size >= this.#limits.maxFormFields) throw this.#tooLong();
    this.#fields.set(name, content.toString('utf8'));
  }

  #tooLong(): S3Error {
    return new S3Error('MaxPostPreDataLengthExceeded', undefined, {
      details: { MaxPostPreDataLengthBytes: String(this.#limits.maxFormBytes) },
    });
  }
}

interface PartHeaders {
  /** Lower-case. */
  readonly name: string;
  readonly fileName: string;
}

function parsePartHeaders(text: string): PartHeaders {
  const disposition = /^content-disposition:[ \t]*form-data[ \t]*(;.*)$/im.exec(text)?.[1];
  const name = disposition === undefined ? undefined : parameterOf(disposition, 'name');
  if (disposition === undefined || name === undefined) throw new S3Error('MalformedPOSTRequest');
  const path = parameterOf(disposition, 'filename') ?? '';
  // Some clients tell the whole path, with the separators of their system.
  return {
    name: name.toLowerCase(),
    fileName: path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1),
  };
}

/** Browsers write quotes and line breaks as %22, %0D and %0A and nothing else (HTML's form submission). */
function parameterOf(disposition: string, name: string): string | undefined {
  const [, quoted, plain] = new RegExp(`;[ \\t]*${name}=(?:"([^"]*)"|([^\\s;"]+))`, 'i').exec(disposition) ?? [];
  const value = quoted ?? plain;
  return value?.replace(/%(22|0D|0A)/gi, (percent) => String.fromCharCode(Number.parseInt(percent.slice(1), 16)));
}
