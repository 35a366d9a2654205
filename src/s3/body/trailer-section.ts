// What follows the last chunk of an aws-chunked body: 'name:value' lines, a signature over them in the signed form,
// and an empty line.
import type { ChunkSignatures } from '../auth/chunk-signatures.ts';
import { S3Error } from '../errors.ts';

const SIGNATURE = 'x-amz-trailer-signature';
const MAX_TRAILERS = 8;

export class TrailerSection {
  static readonly maxLineBytes = 1024;

  readonly #names: readonly string[];
  readonly #signatures: ChunkSignatures | undefined;
  readonly #trailers = new Map<string, string>();
  #signed = false;

  /** `names` are the trailers that were announced, lower-case; `signatures` the chain that the chunks ended. */
  constructor(names: readonly string[], signatures: ChunkSignatures | undefined) {
    this.#names = names;
    this.#signatures = signatures;
  }

  /** One line with its end. AWS's examples end a trailer's line with a line feed alone and an empty line. */
  takeLine(line: string): 'more' | 'last' {
    const text = line.replace(/\r?\n$/, '');
    if (text === '') return this.#isSignatureDue() ? 'more' : 'last';
    const [, name, value] = /^([!-9;-~]+):[ \t]*(.*?)[ \t]*$/.exec(text) ?? [];
    if (name === undefined || value === undefined || this.#signed) throw new S3Error('MalformedTrailerError');
    if (this.#signatures !== undefined && name.toLowerCase() === SIGNATURE) this.#accept(this.#signatures, value);
    else this.#add(name.toLowerCase(), value);
    return 'more';
  }

  /** Throws unless the trailers are the ones announced. */
  end(): void {
    const missing = this.#names.filter((name) => !this.#trailers.has(name));
    if (missing.length > 0 && this.#trailers.size === 0) {
      throw new S3Error('IncompleteBody', `The body ended without the trailer ${missing.join(', ')}.`);
    }
    if (missing.length > 0 || this.#trailers.size > this.#names.length) throw new S3Error('MalformedTrailerError');
    if (this.#signatures !== undefined && !this.#signed) {
      throw new S3Error('IncompleteBody', `The body ended without ${SIGNATURE}.`);
    }
  }

  get(name: string): string | undefined {
    return this.#trailers.get(name);
  }

  #isSignatureDue(): boolean {
    return this.#signatures !== undefined && !this.#signed && this.#trailers.size > 0;
  }

  #add(name: string, value: string): void {
    if (this.#trailers.has(name) || this.#trailers.size === MAX_TRAILERS) throw new S3Error('MalformedTrailerError');
    this.#trailers.set(name, value);
  }

  #accept(signatures: ChunkSignatures, signature: string): void {
    const lines = [...this.#trailers].map(([name, value]) => `${name}:${value}\n`).join('');
    if (!signatures.acceptTrailers(lines, signature)) {
      throw new S3Error('SignatureDoesNotMatch', 'The signature of the trailers does not match what was calculated.');
    }
    this.#signed = true;
  }
}
