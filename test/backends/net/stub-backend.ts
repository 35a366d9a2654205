// A backend whose answers a test writes; it counts what reaches it.
import { Readable } from 'node:stream';
import type {
  Backend,
  Capabilities,
  ObjectHead,
  ObjectInfo,
  ObjectRead,
  ObjectRef,
  UploadBody,
  Written,
} from '../../../backends/backend.ts';

const CAPABILITIES: Capabilities = {
  writable: true,
  list: 'none',
  putIfAbsent: 'none',
  putIfMatch: 'none',
  userMetadataMaxBytes: 0,
  partMinBytes: 1,
  putMaxBytes: 1,
  keyMaxBytes: 1_024,
  batchDeleteMax: 0,
  checksums: [],
  etag: 'opaque',
  wantsMd5: false,
};

const INFO: ObjectInfo = {
  key: 'k',
  sizeBytes: 4,
  etag: 'e',
  lastModified: new Date(0),
  headers: {},
  metadata: {},
  identity: 'strong',
};

export class StubBackend implements Backend {
  readonly kind = 'stub';
  readonly capabilities = CAPABILITIES;
  attempts = 0;
  /** Consulted before each answer; throws or waits as the test wants. */
  before: () => void | Promise<void> = () => undefined;
  onPut: (body: UploadBody) => void = () => undefined;
  body: () => Readable = () => Readable.from([Buffer.from('body')]);

  async check(): Promise<void> {
    await this.#attempt();
  }

  async headBucket(): Promise<undefined> {
    await this.#attempt();
    return undefined;
  }

  async head(): Promise<ObjectHead> {
    await this.#attempt();
    return { info: INFO };
  }

  async read(): Promise<ObjectRead> {
    await this.#attempt();
    return { info: INFO, body: this.body() };
  }

  async list(): Promise<{ objects: []; prefixes: [] }> {
    await this.#attempt();
    return { objects: [], prefixes: [] };
  }

  async put(_ref: ObjectRef, body: UploadBody): Promise<Written> {
    this.onPut(body);
    await this.#attempt();
    return { etag: 'e', sizeBytes: 4 };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #attempt(): Promise<void> {
    this.attempts += 1;
    await this.before();
  }
}
