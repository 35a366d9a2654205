// What one promise of the contract works with: an opened origin and a corner of its bucket that no other test uses.
import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { expect } from 'vitest';
import {
  type Backend,
  BackendError,
  type BackendErrorCode,
  type BucketDocuments,
  type Buckets,
  type Capabilities,
  type Multipart,
  type ObjectAcls,
  type ObjectRef,
  type PutOptions,
  type ReadOptions,
  type Tagging,
  type Versioning,
  type Written,
} from '../../../backends/backend.ts';
import { uploadBody } from '../../support/upload-body.ts';
import type { ContractOptions, ContractSubject } from '../backend.ts';

export const NO_ATTRIBUTES: PutOptions = { headers: {}, metadata: {} };

export class World {
  readonly backend: Backend;
  readonly bucket: string;
  readonly runs: number;
  /** Never aborted. */
  readonly signal: AbortSignal = new AbortController().signal;
  readonly #subject: ContractSubject;
  readonly #acceptsKey: (key: string) => boolean;
  readonly #skip: (why: string) => never;
  readonly #corner = `t-${randomBytes(6).toString('hex')}/`;
  #corners = 0;

  constructor(subject: ContractSubject, options: ContractOptions, skip: (why: string) => never) {
    this.#subject = subject;
    this.#skip = skip;
    this.#acceptsKey = options.acceptsKey ?? (() => true);
    this.backend = subject.backend;
    this.bucket = subject.bucket;
    this.runs = options.runs ?? 20;
  }

  get capabilities(): Capabilities {
    return this.backend.capabilities;
  }

  /** A prefix that nothing is under yet; ends in '/'. */
  corner(): string {
    this.#corners += 1;
    return `${this.#corner}${this.#corners}/`;
  }

  /** A key that no other test uses. */
  ref(name = 'object'): ObjectRef {
    return { bucket: this.bucket, key: `${this.#corner}${name}` };
  }

  accepts(key: string): boolean {
    return Buffer.byteLength(key) <= this.capabilities.keyMaxBytes && this.#acceptsKey(key);
  }

  /** Skips the test unless this origin can do what it is about. */
  needs(condition: boolean, what: string): void {
    if (!condition) this.#skip(`This origin does not have it: ${what}.`);
  }

  get canWrite(): Required<Pick<Backend, 'put' | 'delete'>> {
    const { put, delete: remove } = this.backend;
    if (put === undefined || remove === undefined) return this.#skip('This origin is only read.');
    return { put: put.bind(this.backend), delete: remove.bind(this.backend) };
  }

  get multipart(): Multipart {
    return this.backend.multipart ?? this.#skip('This origin has no multipart uploads.');
  }

  get buckets(): Buckets {
    return this.backend.buckets ?? this.#skip('Buckets of this origin are made by its operator.');
  }

  get bucketDocuments(): BucketDocuments {
    return this.backend.bucketDocuments ?? this.#skip('This origin keeps no documents with its buckets.');
  }

  get tagging(): Tagging {
    return this.backend.tagging ?? this.#skip('This origin does not read or change tags.');
  }

  get acls(): ObjectAcls {
    return this.backend.acls ?? this.#skip('This origin keeps no access lists.');
  }

  get versioning(): Versioning {
    return this.backend.versioning ?? this.#skip('This origin keeps one version of an object.');
  }

  get objectParts(): NonNullable<Backend['objectParts']> {
    const { objectParts } = this.backend;
    return objectParts?.bind(this.backend) ?? this.#skip('This origin does not tell the parts of objects.');
  }

  get copy(): NonNullable<Backend['copy']> {
    const { copy } = this.backend;
    return copy?.bind(this.backend) ?? this.#skip('This origin does not copy by itself.');
  }

  put(ref: ObjectRef, bytes: Uint8Array, options: Partial<PutOptions> = {}): Promise<Written> {
    return this.canWrite.put(ref, uploadBody(bytes), { ...NO_ATTRIBUTES, ...options }, this.signal);
  }

  /** An object that is simply there, however this origin comes by its objects. */
  async store(ref: ObjectRef, bytes: Uint8Array): Promise<void> {
    if (this.#subject.seed !== undefined) await this.#subject.seed(ref.key, Buffer.from(bytes));
    else await this.put(ref, bytes);
  }

  async bytesOf(ref: ObjectRef, options: ReadOptions = {}): Promise<Buffer> {
    const read = await this.backend.read(ref, options, this.signal);
    return buffer(read.body);
  }

  async exists(ref: ObjectRef): Promise<boolean> {
    try {
      await this.backend.head(ref, {}, this.signal);
      return true;
    } catch (error) {
      if (error instanceof BackendError && error.code === 'NoSuchKey') return false;
      throw error;
    }
  }
}

/** That it rejects with a BackendError of one of these codes; gives the error back. */
export async function rejection(promise: Promise<unknown>, ...codes: BackendErrorCode[]): Promise<BackendError> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if (!('error' in outcome)) throw new Error(`Expected a rejection with ${codes.join(' or ')}; it resolved.`);
  const { error } = outcome;
  if (!(error instanceof BackendError)) throw error;
  expect(codes, error.message).toContain(error.code);
  return error;
}

export function randomBody(sizeBytes: number): Buffer {
  return randomBytes(sizeBytes);
}

/** In the order of their UTF-8 bytes. */
export function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
