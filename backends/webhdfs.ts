// HDFS by WebHDFS, Hadoop's REST interface, as a bucket that can only be read: the files beneath `root`. HDFS has no
// conditional open, so a file's status is taken again once its datanode has begun to answer: the bytes are those of
// the version that is told, or the read is begun anew. Directories are no objects; one that holds only empty
// directories still shows as a common prefix under the delimiter '/'.
// See webhdfs/file-info.ts for identity, webhdfs/datanode-hosts.ts for where bytes may come from,
// webhdfs/directory-cursor.ts for what listings cost.
import { Readable } from 'node:stream';
import {
  type Backend,
  BackendError,
  type BucketInfo,
  type ByteRange,
  type Capabilities,
  type HeadOptions,
  type ListOptions,
  type ListPage,
  type ObjectHead,
  type ObjectRead,
  type ObjectRef,
  type ReadOptions,
  type VersionRef,
} from './backend.ts';
import { checkReadConditions } from './conditions.ts';
import { HttpClient, type HttpClientOptions } from './http/http-client.ts';
import { parseEndpoint } from './http/object-url.ts';
import { partRange, requireCurrentVersion } from './http/read-request.ts';
import { resolveRange } from './range.ts';
import { DatanodeHosts } from './webhdfs/datanode-hosts.ts';
import { fileInfo } from './webhdfs/file-info.ts';
import { directoryPath, filePath, parseRoot } from './webhdfs/hdfs-path.ts';
import { listPage } from './webhdfs/list-page.ts';
import { Namenodes } from './webhdfs/namenodes.ts';
import { type OpenFileDeps, openFile } from './webhdfs/open-file.ts';
import { type FileStatus, fileStatusAnswer, readAnswer } from './webhdfs/protocol.ts';
import { readEntries } from './webhdfs/read-entries.ts';

export interface WebHdfsBackendOptions extends HttpClientOptions {
  /** Base URLs, such as http://nn1.example.com:9870; of one HDFS, in the order in which they are tried first. */
  readonly namenodes: readonly string[];
  /** The directory in HDFS that is the bucket. Default '/'. */
  readonly root?: string | undefined;
  /** The one bucket name it answers to. Absent: any. */
  readonly bucket?: string | undefined;
  /** Simple authentication: HDFS takes the name on trust. */
  readonly user?: string | undefined;
  /** In place of `user`. */
  readonly delegationToken?: string | undefined;
  /** Where file bytes may come from: hosts, host:port, globs, CIDRs. Default: the namenodes' own hosts. */
  readonly datanodes?: readonly string[] | undefined;
  /** How long a namenode may be silent before the next is asked. Default 10,000. */
  readonly namenodeTimeoutMs?: number | undefined;
}

const CAPABILITIES: Capabilities = {
  writable: false,
  list: 'full',
  putIfAbsent: 'none',
  putIfMatch: 'none',
  userMetadataMaxBytes: 0,
  partMinBytes: 0,
  putMaxBytes: 0,
  keyMaxBytes: 1_024,
  batchDeleteMax: 0,
  checksums: [],
  etag: 'opaque',
  wantsMd5: false,
};

/** How often a read is begun anew because the file changed meanwhile. */
const MAX_OPENS = 3;

export async function openWebHdfsBackend(options: WebHdfsBackendOptions): Promise<Backend> {
  return new WebHdfsBackend(options);
}

class WebHdfsBackend implements Backend {
  readonly kind = 'webhdfs';
  readonly capabilities = CAPABILITIES;
  readonly #clients: readonly HttpClient[];
  readonly #namenodes: Namenodes;
  readonly #fileDeps: OpenFileDeps;
  readonly #root: string;
  readonly #bucket: string | undefined;

  constructor(options: WebHdfsBackendOptions) {
    const namenodes = options.namenodes.map((address) => parseEndpoint(address, 'Each of namenodes'));
    if (namenodes.length === 0) throw new BackendError('Misconfigured', 'namenodes must name at least one namenode.');
    this.#root = parseRoot(options.root ?? '/');
    this.#bucket = options.bucket;
    const client = new HttpClient(options);
    const namenodeClient = new HttpClient({ ...options, idleTimeoutMs: options.namenodeTimeoutMs ?? 10_000 });
    this.#clients = [client, namenodeClient];
    const { user, delegationToken } = options;
    this.#namenodes = new Namenodes({ client: namenodeClient }, { namenodes, user, delegationToken });
    this.#fileDeps = {
      namenodes: this.#namenodes,
      client,
      datanodes: new DatanodeHosts(options.datanodes ?? namenodes.map((url) => url.hostname)),
    };
  }

  async check(signal: AbortSignal): Promise<void> {
    await this.#rootStatus(signal);
  }

  async headBucket(bucket: string, signal: AbortSignal): Promise<BucketInfo | undefined> {
    if (!this.#hasBucket(bucket)) return undefined;
    const status = await this.#rootStatus(signal);
    return status?.type === 'DIRECTORY' ? { name: bucket, created: new Date(status.modificationTime) } : undefined;
  }

  async head(ref: VersionRef, options: HeadOptions, signal: AbortSignal): Promise<ObjectHead> {
    requireCurrentVersion(options.versionId ?? ref.versionId);
    const info = fileInfo(ref.key, await this.#fileStatus(this.#path(ref), signal));
    checkReadConditions(options.conditions, info);
    return { info, range: partRange(options.partNumber, info.sizeBytes) };
  }

  async read(ref: VersionRef, options: ReadOptions, signal: AbortSignal): Promise<ObjectRead> {
    requireCurrentVersion(options.versionId ?? ref.versionId);
    const path = this.#path(ref);
    let info = fileInfo(ref.key, await this.#fileStatus(path, signal));
    for (let opens = 0; opens < MAX_OPENS; opens += 1) {
      checkReadConditions(options.conditions, info);
      const range = requestedRange(options, info.sizeBytes);
      const { start, end } = range ?? { start: 0, end: info.sizeBytes };
      if (start === end) return { info, range, body: Readable.from([]) };
      const body = await openFile(this.#fileDeps, path, { start, end }, signal);
      try {
        const after = fileInfo(ref.key, await this.#fileStatus(path, signal));
        if (after.etag === info.etag) return { info, range, body };
        info = after;
      } catch (error) {
        body.destroy();
        throw error;
      }
      body.destroy();
    }
    throw new BackendError('Unavailable', 'The file was replaced each time it was about to be read.');
  }

  async list(bucket: string, options: ListOptions, signal: AbortSignal): Promise<ListPage> {
    this.#requireBucket(bucket);
    const read = readEntries({ namenodes: this.#namenodes }, (directory) => directoryPath(this.#root, directory));
    const page = await listPage(read, options, signal);
    if (page.objects.length + page.prefixes.length === 0 && (await this.headBucket(bucket, signal)) === undefined) {
      throw new BackendError('NoSuchBucket', 'The root directory of this origin does not exist in HDFS.');
    }
    return page;
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.close();
  }

  /** Rejects with NoSuchKey when there is no file, or what is there is none. */
  async #fileStatus(path: string, signal: AbortSignal): Promise<FileStatus> {
    const status = await this.#status(path, signal);
    if (status.type !== 'FILE') throw new BackendError('NoSuchKey', 'The name is that of a directory or a link.');
    return status;
  }

  async #rootStatus(signal: AbortSignal): Promise<FileStatus | undefined> {
    try {
      return await this.#status(this.#root === '' ? '/' : this.#root, signal);
    } catch (error) {
      if (error instanceof BackendError && error.code === 'NoSuchKey') return undefined;
      throw error;
    }
  }

  async #status(path: string, signal: AbortSignal): Promise<FileStatus> {
    const answer = await this.#namenodes.ask({ op: 'GETFILESTATUS', path }, signal);
    return (await readAnswer(answer, fileStatusAnswer, signal)).FileStatus;
  }

  #hasBucket(bucket: string): boolean {
    return this.#bucket === undefined || bucket === this.#bucket;
  }

  #requireBucket(bucket: string): void {
    if (!this.#hasBucket(bucket))
      throw new BackendError('NoSuchBucket', `This origin is the bucket '${this.#bucket}'.`);
  }

  #path({ bucket, key }: ObjectRef): string {
    this.#requireBucket(bucket);
    const path = filePath(this.#root, key);
    if (path === undefined) throw new BackendError('NoSuchKey', 'No file in HDFS can have this name.');
    return path;
  }
}

function requestedRange(options: ReadOptions, sizeBytes: number): ByteRange | undefined {
  if (options.range !== undefined) return resolveRange(options.range, sizeBytes);
  return partRange(options.partNumber, sizeBytes);
}
