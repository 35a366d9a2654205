// A gateway in front of an S3 origin that a test controls: any backend behind the dialect, on a server of its own. What
// the gateway asks goes over HTTP, and so does what clients ask of it.

import type { IncomingMessage } from 'node:http';
import { request as send } from 'node:http';
import type { Backend } from '../../backends/backend.ts';
import { askGateway, type ClientOutcome } from './client-outcome.ts';
import { startGateway, type TestGateway } from './gateway.ts';
import { LogLines } from './log-lines.ts';
import { TestGateway as OriginServer, OWNER } from './s3-gateway.ts';
import { type RawRequest, signedHeaders } from './signed-request.ts';

export interface CachedGatewayOptions {
  readonly origin: Backend;
  readonly cache?: Readonly<Record<string, unknown>>;
  /** Of every bucket. */
  readonly bucket?: Readonly<Record<string, unknown>>;
  readonly limits?: Readonly<Record<string, unknown>>;
}

export class CachedGateway {
  readonly gateway: TestGateway;
  readonly origin: OriginServer;
  readonly log: LogLines;

  private constructor(gateway: TestGateway, origin: OriginServer, log: LogLines) {
    this.gateway = gateway;
    this.origin = origin;
    this.log = log;
  }

  static async start(options: CachedGatewayOptions): Promise<CachedGateway> {
    const origin = await OriginServer.start({ backend: options.origin });
    const log = new LogLines();
    const { accessKeyId, secretAccessKey } = OWNER;
    const main = {
      type: 's3',
      endpoint: origin.url,
      region: 'us-east-1',
      pathStyle: true,
      accessKeyId,
      secretAccessKey,
    };
    const gateway = await startGateway({
      log: log.logger,
      config: {
        backends: { main: { ...main, retryDelay: '1ms', openTime: '10ms', openTimeMax: '10ms' } },
        buckets: { '*': { backend: 'main', ...options.bucket } },
        cache: options.cache ?? {},
        limits: options.limits ?? {},
      },
    });
    return new CachedGateway(gateway, origin, log);
  }

  /** To its end, or to where it was cut. */
  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<ClientOutcome> {
    return askGateway(this.gateway, { path, headers });
  }

  put(path: string, body: Buffer | string, headers: Readonly<Record<string, string>> = {}): Promise<ClientOutcome> {
    return askGateway(this.gateway, { method: 'PUT', path, body, headers });
  }

  delete(path: string): Promise<ClientOutcome> {
    return askGateway(this.gateway, { method: 'DELETE', path });
  }

  /** The answer as soon as its head is there: for clients who read slowly, or leave. */
  open(request: RawRequest): Promise<IncomingMessage> {
    const { host, hostname, port } = new URL(this.gateway.s3Url);
    const credential = { ...this.gateway, name: 'client', account: 'client' };
    const headers = signedHeaders({ ...request, credential }, host);
    return new Promise((resolve, reject) => {
      const outgoing = send({ host: hostname, port, path: request.path, headers, agent: false }, (response) => {
        // A client that leaves has nobody to tell.
        response.on('error', () => undefined);
        resolve(response);
      });
      outgoing.on('error', reject);
      outgoing.end();
    });
  }

  /** The sum of a metric over its labels. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.gateway.adminUrl}/metrics`)).text();
    const lines = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  async close(): Promise<void> {
    await this.gateway.close();
    await this.origin.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
