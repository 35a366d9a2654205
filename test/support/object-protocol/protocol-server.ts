// An object store in memory that speaks OSS's or OBS's protocol on 127.0.0.1 and verifies every signature on its own.
// It commits nothing whose body did not arrive whole, and can be told to misbehave (faults.ts). Not covered: ACLs,
// versions, lifecycle, encryption, tags beyond keeping them. Clients reach its host names through `lookup`.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, LookupFunction } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { authenticate, type Credentials } from './authenticate.ts';
import {
  createBucket,
  deleteBucket,
  deleteObjects,
  describeBucket,
  listBuckets,
  listObjects,
} from './bucket-routes.ts';
import { Call, Refused } from './call.ts';
import { bendAnswer, type Fault, type FaultRule, Faults } from './faults.ts';
import { type Flavour, OBS, OSS } from './flavour.ts';
import { deleteObject, readObject, writeObject } from './object-routes.ts';
import { StoredBucket } from './store.ts';
import { abortUpload, completeUpload, createUpload, listParts, listUploads, uploadPart } from './upload-routes.ts';
import { listVersions, switchVersioning } from './version-routes.ts';

export interface ProtocolServerOptions {
  readonly flavour: 'oss' | 'obs';
  readonly credentials?: Credentials;
  readonly tls?: { readonly key: string; readonly cert: string };
}

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** How much came over its connection by the time the request was over. */
  socketBytes: number;
}

export class ProtocolServer {
  readonly credentials: Credentials;
  readonly region = 'test-region';
  readonly serviceHost: string;
  readonly buckets = new Map<string, StoredBucket>();
  readonly faults = new Faults();
  /** Every request that came, in order. */
  readonly seen: Seen[] = [];
  readonly #flavour: Flavour;
  readonly #server: Server;
  readonly #secure: boolean;
  readonly #underWay = new Set<Promise<unknown>>();

  private constructor(options: ProtocolServerOptions) {
    this.#flavour = options.flavour === 'oss' ? OSS : OBS;
    this.serviceHost = `${options.flavour}.test`;
    this.credentials = options.credentials ?? { accessKeyId: 'test-key-id', secret: 'test-secret' };
    this.#secure = options.tls !== undefined;
    this.#server = options.tls === undefined ? createServer() : createTlsServer(options.tls);
    const accept = (asks: boolean) => (request: IncomingMessage, response: ServerResponse) => {
      const served: Promise<unknown> = this.#serve(request, response, asks)
        .catch((error: unknown) => response.destroy(asError(error)))
        .then(() => this.#underWay.delete(served));
      this.#underWay.add(served);
    };
    this.#server.on('request', accept(false));
    this.#server.on('checkContinue', accept(true));
  }

  static async start(options: ProtocolServerOptions): Promise<ProtocolServer> {
    const server = new ProtocolServer(options);
    await new Promise<void>((resolve, reject) => {
      server.#server.once('error', reject).listen(0, '127.0.0.1', resolve);
    });
    return server;
  }

  get endpoint(): string {
    return `${this.#secure ? 'https' : 'http'}://${this.serviceHost}:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Every host name is here. */
  readonly lookup: LookupFunction = (_hostname, options, callback) => {
    if (options.all === true) callback(null, [{ address: '127.0.0.1', family: 4 }]);
    else callback(null, '127.0.0.1', 4);
  };

  bucket(name: string): StoredBucket {
    const bucket = this.buckets.get(name) ?? new StoredBucket(name);
    this.buckets.set(name, bucket);
    return bucket;
  }

  fail(fault: Fault, rule: Omit<FaultRule, 'fault'> = {}): void {
    this.faults.add({ ...rule, fault });
  }

  /** Resolves once no request is under way: what was going to be stored is. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.race([...this.#underWay]);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #serve(request: IncomingMessage, response: ServerResponse, asks: boolean): Promise<void> {
    const call = new Call(request, response, { flavour: this.#flavour, serviceHost: this.serviceHost, asks });
    const seen: Seen = { method: call.method, url: request.url ?? '', headers: call.headers, socketBytes: 0 };
    this.seen.push(seen);
    request.on('close', () => {
      seen.socketBytes = request.socket.bytesRead;
    });
    try {
      const fault = this.faults.take(call);
      if (fault?.kind === 'refuse') throw new Refused(fault.status, fault.code);
      if (fault !== undefined && (await this.#misbehave(call, fault))) return;
      authenticate(call, this.credentials, this.region);
      await this.#route(call);
    } catch (error) {
      if (error instanceof Refused) call.refuse(error.status, error.code);
      else if (!request.destroyed) throw error;
    }
  }

  /** True when that was all the answer there is. */
  async #misbehave(call: Call, fault: Fault): Promise<boolean> {
    if (fault.kind === 'latency') await delay(fault.ms);
    else if (fault.kind === 'stall' && fault.afterBytes === undefined) return true;
    else if (fault.kind === 'cut' && fault.afterBytes === undefined) call.request.socket.destroy();
    else if (fault.kind === 'corrupt' && call.method === 'PUT') call.corrupts = true;
    else bendAnswer(call, fault);
    return fault.kind === 'cut' && fault.afterBytes === undefined;
  }

  async #route(call: Call): Promise<void> {
    if (call.bucket === undefined) return listBuckets(call, this.buckets);
    const switches = call.method === 'PUT' && call.query.has('versioning');
    if (call.key === undefined && call.method === 'PUT' && !switches) return createBucket(call, this.buckets);
    const bucket = this.#find(call.bucket);
    if (call.key === undefined) return this.#onBucket(call, bucket);
    await this.#onObject(call, bucket);
  }

  async #onBucket(call: Call, bucket: StoredBucket): Promise<void> {
    const { method, query } = call;
    if (method === 'HEAD') return call.answer(200);
    if (method === 'DELETE') return deleteBucket(call, this.buckets, bucket);
    if (method === 'POST' && query.has('delete')) return deleteObjects(call, bucket);
    if (method === 'PUT') return switchVersioning(call, bucket);
    if (method !== 'GET') throw new Refused(405, 'MethodNotAllowed');
    if (query.has('uploads')) return listUploads(call, bucket);
    if (query.has('versions')) return listVersions(call, bucket);
    if (query.has('bucketInfo') || query.has('location') || query.has('versioning'))
      return describeBucket(call, bucket);
    return listObjects(call, bucket);
  }

  async #onObject(call: Call, bucket: StoredBucket): Promise<void> {
    const { method, query } = call;
    const find = (name: string) => this.#find(name);
    if (method === 'POST' && query.has('uploads')) return createUpload(call, bucket);
    if (query.has('uploadId')) {
      if (method === 'PUT') return uploadPart(call, bucket, find);
      if (method === 'GET') return listParts(call, bucket);
      if (method === 'POST') return completeUpload(call, bucket);
      if (method === 'DELETE') return abortUpload(call, bucket);
    }
    if (method === 'GET' || method === 'HEAD') return readObject(call, bucket);
    if (method === 'PUT') return writeObject(call, bucket, find);
    if (method === 'DELETE') return deleteObject(call, bucket);
    throw new Refused(405, 'MethodNotAllowed');
  }

  #find(name: string): StoredBucket {
    const bucket = this.buckets.get(name);
    if (bucket === undefined) throw new Refused(404, 'NoSuchBucket');
    return bucket;
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
