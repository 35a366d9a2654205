// The one door of ali-oss that is used: `request`, which signs a request (V4, with the session token) and hands it to
// an HTTP client of the caller's choosing. Its typings leave both out. The methods above it are not used, because of
// what they do to keys (a leading '/' is cut), parts (file paths only), copies (each header sent twice) and answers
// (one part is no list, errors without codes).
import OSS from 'ali-oss';

export interface OssCredentials {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  readonly stsToken?: string | undefined;
}

export interface OssEndpoint {
  /** 'oss-cn-hangzhou': names the endpoint, where none is given, and the scope of signatures. */
  readonly region: string;
  readonly endpoint?: string | undefined;
  /** The region's endpoint within Alibaba's network. */
  readonly internal: boolean;
  readonly secure: boolean;
}

/** A signed request as ali-oss hands it on. */
export interface SignedRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface OssRequest {
  readonly method: string;
  readonly bucket?: string;
  readonly object?: string;
  readonly subres: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
}

interface RequestingClient {
  request(request: object): Promise<unknown>;
}

export class OssSigner {
  readonly #client: RequestingClient;

  constructor(credentials: OssCredentials, endpoint: OssEndpoint) {
    const options = {
      accessKeyId: credentials.accessKeyId,
      accessKeySecret: credentials.accessKeySecret,
      // The interval only silences the SDK's advice on standard output; nothing refreshes by itself.
      ...(credentials.stsToken === undefined
        ? {}
        : { stsToken: credentials.stsToken, refreshSTSTokenInterval: 300_000 }),
      region: endpoint.region,
      internal: endpoint.internal,
      secure: endpoint.secure,
      ...(endpoint.endpoint === undefined ? {} : { endpoint: endpoint.endpoint }),
      authorizationV4: true,
      urllib: { request: handOn },
    };
    const client: unknown = new OSS(options);
    if (!isRequesting(client)) throw new Error('This release of ali-oss has no request method; 6.23.0 has.');
    this.#client = client;
  }

  async sign(request: OssRequest): Promise<SignedRequest> {
    let signed: SignedRequest | undefined;
    const keep = (made: SignedRequest) => {
      signed = made;
    };
    await this.#client.request({ ...request, ctx: { keep } });
    if (signed === undefined) throw new Error('ali-oss ended a request without handing it on.');
    return signed;
  }
}

interface HandedOn {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly ctx: { readonly keep: (request: SignedRequest) => void };
}

/** In place of urllib, which folds dot segments of keys and counts its timeout from the start of a request. */
async function handOn(url: string, { method, headers, ctx }: HandedOn): Promise<{ status: number }> {
  ctx.keep({ url, method, headers });
  return { status: 200 };
}

function isRequesting(client: unknown): client is RequestingClient {
  return typeof client === 'object' && client !== null && 'request' in client && typeof client.request === 'function';
}
