// The part of esdk-obs-nodejs that is used: from a request to its signed headers (Date, security token, signature).
// The SDK's models above it are not used, for what they do to bodies (a Buffer is taken for text), ETags and metadata
// (percent-encoded on the way out only) and documents ('<' is not escaped); nor its transport below, which does not
// check the host name of a TLS certificate and follows redirects.
import { EventEmitter } from 'node:events';
import ObsClient, { type ObsRequest, type SentRequest } from 'esdk-obs-nodejs';

export interface ObsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly securityToken?: string | undefined;
}

export interface ObsEndpoint {
  /** An address with http:// or https://. */
  readonly server: string;
  readonly signature: 'obs' | 'v2';
  readonly pathStyle: boolean;
  readonly region?: string | undefined;
}

export class ObsSigner {
  readonly secure: boolean;
  readonly #client: ObsClient;
  #signed: SentRequest | undefined;

  constructor(credentials: ObsCredentials, endpoint: ObsEndpoint) {
    this.#client = new ObsClient({
      access_key_id: credentials.accessKeyId,
      secret_access_key: credentials.secretAccessKey,
      ...(credentials.securityToken === undefined ? {} : { security_token: credentials.securityToken }),
      server: endpoint.server,
      signature: endpoint.signature,
      path_style: endpoint.pathStyle,
      ...(endpoint.region === undefined ? {} : { region: endpoint.region }),
      ssl_verify: true,
      is_signature_negotiation: false,
      max_retry_count: 0,
      third_http_lib: { request: (options) => this.#keep(options) },
    });
    this.secure = this.#client.util.isSecure;
  }

  /** The SDK reaches its HTTP library before anything in it waits, so nothing can come between. */
  sign(request: WireParts): SentRequest {
    let failure: unknown;
    const given = this.#form(request);
    this.#client.util
      .makeRequest('Sign', given, 1, (error) => {
        failure = error;
      })
      .catch((error: unknown) => {
        failure = error;
      });
    const signed = this.#signed;
    this.#signed = undefined;
    if (signed === undefined) throw new Error('esdk-obs-nodejs signed nothing; 3.26.2 does.', { cause: failure });
    return signed;
  }

  close(): void {
    this.#client.close();
  }

  #keep(options: SentRequest): EventEmitter {
    this.#signed = options;
    return new InertRequest();
  }

  #form({ method, bucket, key, query, headers }: WireParts): ObsRequest {
    const { pathStyle, server } = this.#client.util;
    const object = key === undefined ? '' : key.split('/').map(encodeName).join('/');
    const search = Object.entries(query).map(([name, value]) => encodeName(name) + (value && `=${encodeName(value)}`));
    const urlPath = search.length === 0 ? '' : `?${search.join('&')}`;
    if (bucket === undefined) return { method, uri: '/', urlPath, headers: { ...headers, Host: server } };
    if (pathStyle) {
      // As radosgw and S3 have it: a request on a bucket is signed as it is on the line.
      const uri = key === undefined ? `/${bucket}` : `/${bucket}/${object}`;
      return { method, uri, urlPath, headers: { ...headers, Host: server } };
    }
    return {
      method,
      uri: `/${bucket}/${object}`,
      requestUri: `/${object}`,
      urlPath,
      headers: { ...headers, Host: `${bucket}.${server}` },
    };
  }
}

export interface WireParts {
  readonly method: string;
  readonly bucket?: string | undefined;
  readonly key?: string | undefined;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
}

/** What the SDK takes for its request: it is ended, and nothing ever comes of it. */
class InertRequest extends EventEmitter {
  end(): void {}
}

/** Also what encodeURIComponent leaves, as the SDK does. */
function encodeName(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
