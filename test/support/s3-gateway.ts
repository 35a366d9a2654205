// The dialect on a real HTTP server, over any objects: for tests that speak S3 to it.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import type { Backend } from '../../backends/backend.ts';
import { BucketMap } from '../../src/objects/bucket-map.ts';
import { RoutedBucketSettings } from '../../src/objects/bucket-settings.ts';
import { RoutedObjects } from '../../src/objects/routed-objects.ts';
import { Authenticator } from '../../src/s3/auth/authenticate.ts';
import type { Credential } from '../../src/s3/auth/credentials.ts';
import type { Rule } from '../../src/s3/auth/policy.ts';
import { type RequestEvent, S3Api, type S3ApiOptions } from '../../src/s3/s3-api.ts';
import { MemoryBackend } from './memory-backend.ts';

export const OWNER: Credential = {
  name: 'owner',
  account: 'acme',
  accessKeyId: 'AKIDOWNER',
  secretAccessKey: 'owner-secret',
};
export const STRANGER: Credential = {
  name: 'stranger',
  account: 'other',
  accessKeyId: 'AKIDSTRANGER',
  secretAccessKey: 'stranger-secret',
};

interface GatewayOptions extends Partial<S3ApiOptions> {
  readonly backend?: Backend;
  readonly credentials?: readonly Credential[];
  readonly anonymous?: readonly Rule[];
  readonly maxRequests?: number;
  readonly allowSigV2?: boolean;
}

export interface LogLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly fields: Record<string, unknown>;
}

export class TestGateway {
  readonly events: RequestEvent[] = [];
  readonly log: LogLine[] = [];
  readonly server: Server;
  readonly #clients: S3Client[] = [];
  #watchers: (() => void)[] = [];
  inFlight = 0;

  constructor(options: GatewayOptions) {
    const backend = options.backend ?? new MemoryBackend();
    const map = new BucketMap(new Map([['memory', backend]]), { '*': { backend: 'memory' } });
    const credentials = options.credentials ?? [OWNER, STRANGER];
    const find = (id: string) => credentials.find((credential) => credential.accessKeyId === id);
    const write = (level: LogLine['level']) => (fields: unknown) => {
      this.log.push({ level, fields: Object(fields) });
    };
    const enter = () => {
      if (this.inFlight >= (options.maxRequests ?? 1000)) return undefined;
      this.inFlight += 1;
      return () => {
        this.inFlight -= 1;
      };
    };
    const api = new S3Api(
      {
        objects: new RoutedObjects({ map }),
        settings: new RoutedBucketSettings({ map }),
        authenticator: new Authenticator(
          { credentials: { find }, now: () => new Date() },
          { anonymous: options.anonymous ?? [], maxSkewMs: 900_000, allowSigV2: options.allowSigV2 },
        ),
        admission: { enter, enterKey: () => () => undefined },
        log: { info: write('info'), warn: write('warn'), error: write('error') },
        observer: {
          finished: (event) => {
            this.events.push(event);
            for (const watcher of this.#watchers) watcher();
          },
        },
      },
      { maxXmlBytes: 2 * 1024 ** 2, lingerMs: 500, ...options },
    );
    this.server = createServer((req, res) => void api.handle(req, res, { expectsContinue: false }));
    this.server.on('checkContinue', (req, res) => void api.handle(req, res, { expectsContinue: true }));
  }

  static async start(options: GatewayOptions = {}): Promise<TestGateway> {
    const gateway = new TestGateway(options);
    gateway.server.listen(0, '127.0.0.1');
    await once(gateway.server, 'listening');
    return gateway;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The SDK as applications use it, told only where to go and as whom; one attempt, so that errors are seen. */
  client(credential: Credential = OWNER, config: S3ClientConfig = {}): S3Client {
    const client = new S3Client({
      endpoint: this.url,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: credential,
      maxAttempts: 1,
      ...config,
    });
    this.#clients.push(client);
    return client;
  }

  /** Resolves once the request has been accounted for. */
  async finished(matches: (event: RequestEvent) => boolean): Promise<RequestEvent> {
    for (;;) {
      const found = this.events.find(matches);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#watchers.push(resolve));
      this.#watchers = [];
    }
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}
