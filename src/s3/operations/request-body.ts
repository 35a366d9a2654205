// The body of a request for its operation. Only opening it lets a client go on that waits for '100 Continue'.
import type { UploadBody } from '../../../backends/backend.ts';
import type { PayloadMode } from '../auth/authenticate.ts';
import { openUploadBody, readDocument } from '../body/upload-body.ts';
import type { S3Request } from '../request.ts';
import { parseXml, type XmlElement } from '../xml.ts';
import type { RequestBody } from './operation-context.ts';

const OBJECT_CHECKSUM = /^x-amz-checksum-/;

export class WireBody implements RequestBody {
  readonly #request: S3Request;
  readonly #payload: PayloadMode;
  readonly #maxXmlBytes: number;
  #opened: UploadBody | undefined;

  constructor(deps: { readonly request: S3Request; readonly payload: PayloadMode }, options: { maxXmlBytes: number }) {
    this.#request = deps.request;
    this.#payload = deps.payload;
    this.#maxXmlBytes = options.maxXmlBytes;
  }

  open(options: { wantsMd5: boolean; maxBytes: number }): UploadBody {
    this.#opened = openUploadBody(this.#request, this.#payload, options);
    // A backend that refuses before it reads has no ear for what then becomes of the body.
    this.#opened.stream.on('error', () => undefined);
    this.#request.proceed();
    return this.#opened;
  }

  async readXml(root: string): Promise<XmlElement> {
    return parseXml(await this.#read(this.#request), root);
  }

  async readXmlAboutObject(root: string): Promise<XmlElement> {
    const headers = Object.entries(this.#request.headers).filter(([name]) => !OBJECT_CHECKSUM.test(name));
    return parseXml(await this.#read({ ...this.#request, headers: Object.fromEntries(headers) }), root);
  }

  async readText(): Promise<string> {
    return (await this.#read(this.#request)).toString('utf8');
  }

  async readOptionalXml(root: string): Promise<XmlElement | undefined> {
    const bytes = await this.#read(this.#request);
    return bytes.length === 0 ? undefined : parseXml(bytes, root);
  }

  /** Nobody reads on. The request itself is left to the exchange. */
  close(): void {
    this.#opened?.stream.destroy();
  }

  #read(request: S3Request): Promise<Buffer> {
    request.proceed();
    return readDocument(request, this.#payload, this.#maxXmlBytes);
  }
}
