// An HDFS in memory that speaks WebHDFS as Hadoop's documents have it: namenodes of which one is active, a datanode on
// a port of its own, redirects or Locations, RemoteExceptions, listings in batches in the order of Java's signed bytes.
// It refuses what HDFS refuses. Faults are switched on by the test.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface WebHdfsFaults {
  /** What a namenode (by index) answers in place of an answer. */
  namenode?: ((index: number, op: string) => Exception | 'stall' | 'cut' | undefined) | undefined;
  datanode?: ((request: URL) => Exception | 'stall' | 'stall-in-body' | 'cut-in-body' | 'cut' | undefined) | undefined;
  /** In place of the datanode's address. */
  location?: string | undefined;
  /** As namenodes did before Hadoop 2.8. */
  ignoresNoredirect?: boolean | undefined;
  /** As HttpFS, the bytes come from where they are asked for. */
  servesBytesItself?: boolean | undefined;
  /** Called when a datanode has opened a file and not answered yet. */
  opened?: ((path: string) => void) | undefined;
}

interface Exception {
  readonly status: number;
  readonly exception: string;
  readonly message: string;
}

interface File {
  readonly fileId: number;
  readonly bytes: Buffer;
  readonly modificationTime: number;
}

export class WebHdfsServer {
  readonly requests: { readonly server: string; readonly url: URL }[] = [];
  faults: WebHdfsFaults = {};
  active = 0;
  readonly #files = new Map<string, File>();
  readonly #directories = new Set<string>(['/']);
  readonly #servers: Server[] = [];
  readonly #batch: number;
  #nextId = 16_386;

  private constructor(batch: number) {
    this.#batch = batch;
  }

  static async start(options: { namenodes?: number; batch?: number } = {}): Promise<WebHdfsServer> {
    const server = new WebHdfsServer(options.batch ?? 1_000);
    for (let index = 0; index < (options.namenodes ?? 1); index += 1) {
      await server.#listen((request, response) => server.#namenode(index, request, response));
    }
    await server.#listen((request, response) => server.#datanode(request, response));
    return server;
  }

  get namenodes(): string[] {
    return this.#servers.slice(0, -1).map(addressOf);
  }

  get datanode(): string {
    return addressOf(this.#servers.at(-1));
  }

  /** Makes the directories above it; rejects what HDFS has no room for. */
  write(path: string, bytes: Buffer): void {
    const parents = ancestors(path);
    if (this.#directories.has(path) || parents.some((parent) => this.#files.has(parent)) || !isValid(path)) {
      throw new Error(`HDFS cannot hold a file ${JSON.stringify(path)}.`);
    }
    for (const parent of parents) this.#directories.add(parent);
    this.#files.set(path, { fileId: this.#nextId, bytes, modificationTime: Date.now() });
    this.#nextId += 1;
  }

  makeDirectory(path: string): void {
    for (const directory of [...ancestors(path), path]) this.#directories.add(directory);
  }

  async close(): Promise<void> {
    for (const server of this.#servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  async #listen(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<void> {
    const server = createServer(handle);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#servers.push(server);
  }

  #namenode(index: number, request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '', this.namenodes[index]);
    this.requests.push({ server: `namenode ${index}`, url });
    const op = url.searchParams.get('op') ?? '';
    const fault = this.faults.namenode?.(index, op);
    if (fault === 'stall') return;
    if (fault === 'cut') {
      request.socket.destroy();
      return;
    }
    if (fault !== undefined) {
      sendException(response, fault);
      return;
    }
    if (index !== this.active) {
      const message = 'Operation category READ is not supported in state standby';
      sendException(response, { status: 403, exception: 'StandbyException', message });
      return;
    }
    try {
      this.#answer(op, pathOf(url), url, response);
    } catch (error) {
      if (!(error instanceof HdfsError)) throw error;
      sendException(response, error.exception);
    }
  }

  #answer(op: string, path: string, url: URL, response: ServerResponse): void {
    if (!isValid(path)) throw new HdfsError(400, 'IllegalArgumentException', `Invalid path name ${path}`);
    this.#requireTraversable(path);
    if (op === 'GETFILESTATUS') {
      sendJson(response, { FileStatus: this.#status(path, '') });
      return;
    }
    if (op === 'LISTSTATUS_BATCH') {
      sendJson(response, this.#list(path, decodeAgain(url.searchParams.get('startAfter') ?? '')));
      return;
    }
    if (op === 'OPEN') {
      this.#open(path, url, response);
      return;
    }
    throw new HdfsError(400, 'UnsupportedOperationException', `op=${op} is not supported`);
  }

  #requireTraversable(path: string): void {
    const file = ancestors(path).find((ancestor) => this.#files.has(ancestor));
    if (file === undefined) return;
    throw new HdfsError(403, 'AccessControlException', `${file} (is not a directory)`);
  }

  #status(path: string, pathSuffix: string): Record<string, unknown> {
    const file = this.#files.get(path);
    const common = { accessTime: 0, group: 'supergroup', owner: 'hdfs', pathSuffix, storagePolicy: 0 };
    if (file !== undefined) {
      const { fileId, modificationTime, bytes } = file;
      return { ...common, type: 'FILE', fileId, modificationTime, length: bytes.length, childrenNum: 0 };
    }
    if (!this.#directories.has(path)) {
      throw new HdfsError(404, 'FileNotFoundException', `File does not exist: ${path}`);
    }
    const childrenNum = this.#children(path).length;
    return { ...common, type: 'DIRECTORY', fileId: 16_385, modificationTime: 0, length: 0, childrenNum };
  }

  #children(path: string): string[] {
    const base = path === '/' ? '/' : `${path}/`;
    const names = [...this.#files.keys(), ...this.#directories]
      .filter((other) => other !== '/' && other.startsWith(base) && !other.slice(base.length).includes('/'))
      .map((other) => other.slice(base.length));
    return names.sort(compareSigned);
  }

  #list(path: string, startAfter: string): unknown {
    if (this.#files.has(path)) return listing([this.#status(path, '')], 0);
    if (!this.#directories.has(path)) throw new HdfsError(404, 'FileNotFoundException', `File ${path} does not exist.`);
    const left = this.#children(path).filter((name) => startAfter === '' || compareSigned(name, startAfter) > 0);
    const base = path === '/' ? '/' : `${path}/`;
    const batch = left.slice(0, this.#batch).map((name) => this.#status(base + name, name));
    return listing(batch, left.length - batch.length);
  }

  #open(path: string, url: URL, response: ServerResponse): void {
    const offset = Number(url.searchParams.get('offset') ?? 0);
    const { length } = this.#status(path, '') as { length: number };
    if (!this.#files.has(path)) throw new HdfsError(404, 'FileNotFoundException', `Path is not a file: ${path}`);
    if (offset >= length && offset > 0) {
      const message = `Offset=${offset} out of the range [0, ${length}); OPEN, path=${path}`;
      throw new HdfsError(403, 'IOException', message);
    }
    if (this.faults.servesBytesItself === true) {
      this.#sendBytes(path, url, response);
      return;
    }
    if (url.searchParams.get('excludedatanodes') === new URL(this.datanode).host) {
      throw new HdfsError(403, 'IOException', `Failed to find datanode, suggest to check cluster health.`);
    }
    const query = new URLSearchParams(url.search);
    query.delete('noredirect');
    query.set('namenoderpcaddress', '127.0.0.1:8020');
    const location = `${this.faults.location ?? this.datanode}${url.pathname}?${query}`;
    if (url.searchParams.get('noredirect') === 'true' && this.faults.ignoresNoredirect !== true) {
      sendJson(response, { Location: location });
      return;
    }
    response.writeHead(307, { location, 'content-length': 0 }).end();
  }

  #datanode(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '', this.datanode);
    this.requests.push({ server: 'datanode', url });
    const fault = this.faults.datanode?.(url);
    if (fault === 'stall') return;
    if (fault === 'cut') {
      request.socket.destroy();
      return;
    }
    if (typeof fault === 'object') {
      sendException(response, fault);
      return;
    }
    this.#sendBytes(pathOf(url), url, response, fault);
  }

  #sendBytes(path: string, url: URL, response: ServerResponse, fault?: 'stall-in-body' | 'cut-in-body'): void {
    const file = this.#files.get(path);
    if (file === undefined) {
      const message = `File does not exist: ${path}`;
      sendException(response, { status: 404, exception: 'FileNotFoundException', message });
      return;
    }
    this.faults.opened?.(path);
    const offset = Number(url.searchParams.get('offset') ?? 0);
    const length = Math.min(Number(url.searchParams.get('length') ?? Infinity), file.bytes.length - offset);
    const bytes = file.bytes.subarray(offset, offset + length);
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'content-length': bytes.length,
      connection: 'close',
    });
    if (fault === undefined) {
      response.end(bytes);
      return;
    }
    response.write(bytes.subarray(0, bytes.length >> 1), () => {
      if (fault === 'cut-in-body') response.destroy();
    });
  }
}

class HdfsError extends Error {
  readonly exception: Exception;

  constructor(status: number, exception: string, message: string) {
    super(message);
    this.exception = { status, exception, message };
  }
}

function listing(entries: readonly unknown[], remainingEntries: number): unknown {
  return { DirectoryListing: { partialListing: { FileStatuses: { FileStatus: entries } }, remainingEntries } };
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function sendException(response: ServerResponse, { status, exception, message }: Exception): void {
  const body = { RemoteException: { exception, javaClassName: `org.apache.hadoop.${exception}`, message } };
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function pathOf(url: URL): string {
  return decodeURIComponent(url.pathname.slice('/webhdfs/v1'.length)) || '/';
}

function ancestors(path: string): string[] {
  const segments = path.split('/').slice(0, -1);
  return segments.map((_, index) => segments.slice(0, index + 1).join('/') || '/');
}

/** As DFSUtil.isValidName: absolute, and no segment is empty, '.', '..' or holds ':'. */
function isValid(path: string): boolean {
  if (path === '/') return true;
  if (!path.startsWith('/')) return false;
  return path
    .slice(1)
    .split('/')
    .every((segment) => !['', '.', '..'].includes(segment) && !/[:\0]/.test(segment));
}

/** As Hadoop 3.4.1 does with startAfter. */
function decodeAgain(name: string): string {
  return name.replace(/%[0-9a-f]{2}/gi, (encoded) => decodeURIComponent(encoded));
}

function compareSigned(a: string, b: string): number {
  const left = new Int8Array(Buffer.from(a));
  const right = new Int8Array(Buffer.from(b));
  for (let index = 0; index < Math.min(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

function addressOf(server: Server | undefined): string {
  if (server === undefined) throw new Error('The server is not started.');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
