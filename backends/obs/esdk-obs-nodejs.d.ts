// What is used of esdk-obs-nodejs 3.26.2, which ships no types: the constructor, and the part of it that signs.
declare module 'esdk-obs-nodejs' {
  import type { EventEmitter } from 'node:events';

  export interface ObsClientOptions {
    access_key_id: string;
    secret_access_key: string;
    security_token?: string;
    server: string;
    signature: 'obs' | 'v2';
    path_style: boolean;
    region?: string;
    ssl_verify: true;
    is_signature_negotiation: false;
    max_retry_count: 0;
    third_http_lib: { request(options: SentRequest): EventEmitter };
  }

  /** What the SDK passes to the HTTP library; more than is declared here. */
  export interface SentRequest {
    method: string;
    host: string;
    port: number;
    path: string;
    headers: Record<string, string>;
  }

  /** The SDK's own form of a request, between its models and the line. */
  export interface ObsRequest {
    method: string;
    /** Percent-encoded, the bucket first: what is signed. */
    uri: string;
    /** Percent-encoded, as on the request line; absent: uri. */
    requestUri?: string;
    /** From '?' on, percent-encoded. */
    urlPath: string;
    headers: Record<string, string>;
  }

  class ObsClient {
    constructor(options: ObsClientOptions);
    readonly util: {
      readonly pathStyle: boolean;
      readonly server: string;
      readonly isSecure: boolean;
      makeRequest(
        name: string,
        request: ObsRequest,
        attempt: number,
        callback: (error: unknown) => void,
      ): Promise<void>;
    };
    close(): void;
  }

  // The package is CommonJS: its exports object is the class.
  // biome-ignore lint/style/noDefaultExport: this is how the package is.
  export default ObsClient;
}
