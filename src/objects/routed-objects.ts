// Objects straight from their origins: each call goes to the backend its bucket is mapped to. Nothing is kept here.
import { addAbortSignal } from 'node:stream';
import {
  BackendError,
  type BucketInfo,
  type CannedAcl,
  type Capabilities,
  type CompletedPart,
  type CompleteOptions,
  type Copied,
  type CopyOptions,
  type CreateUploadOptions,
  type Deleted,
  type DeleteOptions,
  type DeleteOutcome,
  type DeleteTarget,
  type ListOptions,
  type ListPage,
  type ListUploadsOptions,
  type ListVersionsOptions,
  type Multipart,
  type ObjectAcls,
  type ObjectHead,
  type ObjectPartsPage,
  type ObjectRef,
  type PartListOptions,
  type PartListPage,
  type PutOptions,
  type Tagging,
  type Tags,
  type UploadBody,
  type UploadListPage,
  type UploadRef,
  type VersioningStatus,
  type VersionListPage,
  type VersionRef,
  type Written,
} from '../../backends/backend.ts';
import { ability, aclsOf, bucketsOf, multipartOf, taggingOf } from './abilities.ts';
import { BodyChunks } from './body-chunks.ts';
import { type BucketMap, originRef, type Route, withoutPrefix } from './bucket-map.ts';
import { copyBetween, copyPartBetween } from './copies-at-origin.ts';
import { deleteInBatches, deleteOneByOne } from './delete-many.ts';
import type { AtHand, GatewayHeadOptions, GatewayRead, GatewayReadOptions, Objects } from './objects.ts';
import { refuseSmallParts } from './part-sizes.ts';
import { tagsAt } from './tags-at-origin.ts';
import { listVersionsAt, setVersioningAt, versioningAt } from './versions-at-origin.ts';

export class RoutedObjects implements Objects {
  readonly #map: BucketMap;

  constructor(deps: { map: BucketMap }) {
    this.#map = deps.map;
  }

  capabilities(bucket: string): Capabilities {
    return this.#map.route(bucket).capabilities;
  }

  async headBucket(bucket: string, signal: AbortSignal): Promise<BucketInfo | undefined> {
    const route = this.#routeOf(bucket);
    const found = await route?.backend.headBucket(route.bucket, signal);
    return found && { ...found, name: bucket };
  }

  async createBucket(bucket: string, options: { owner: string }, signal: AbortSignal): Promise<void> {
    const route = this.#map.route(bucket);
    if (route.configured && (await route.backend.headBucket(route.bucket, signal)) !== undefined) {
      throw new BackendError('BucketAlreadyOwnedByYou', `Bucket '${bucket}' is made by the configuration.`);
    }
    await bucketsOf(route).create(route.bucket, options, signal);
  }

  async deleteBucket(bucket: string, signal: AbortSignal): Promise<void> {
    const route = this.#map.route(bucket);
    if (route.configured) {
      throw new BackendError('NotSupported', `Bucket '${bucket}' is made by the configuration; remove it there.`);
    }
    await bucketsOf(route).delete(route.bucket, signal);
  }

  async listBuckets(signal: AbortSignal): Promise<readonly BucketInfo[]> {
    const configured = this.#map.configuredNames();
    const [named, others] = await Promise.all([
      Promise.all(configured.map((name) => this.headBucket(name, signal))),
      this.#map.fallback()?.buckets?.list(signal) ?? [],
    ]);
    return [...named, ...others.filter((bucket) => !configured.includes(bucket.name))].filter(
      (bucket) => bucket !== undefined,
    );
  }

  async getVersioning(bucket: string, signal: AbortSignal): Promise<VersioningStatus | undefined> {
    return versioningAt(this.#map.route(bucket), signal);
  }

  async setVersioning(bucket: string, status: VersioningStatus, signal: AbortSignal): Promise<void> {
    await setVersioningAt(this.#map.route(bucket), status, signal);
  }

  async listVersions(bucket: string, options: ListVersionsOptions, signal: AbortSignal): Promise<VersionListPage> {
    return listVersionsAt(this.#map.route(bucket), options, signal);
  }

  async head(ref: ObjectRef, options: GatewayHeadOptions, signal: AbortSignal): Promise<ObjectHead> {
    const route = this.#map.route(ref.bucket);
    const head = await route.backend.head(originRef(route, ref.key), options, signal);
    return { ...head, info: named(head.info, ref.key) };
  }

  /** Bytes are the origin's. */
  atHand(_ref: ObjectRef, _options: GatewayReadOptions): AtHand {
    return undefined;
  }

  async read(ref: ObjectRef, options: GatewayReadOptions, signal: AbortSignal): Promise<GatewayRead> {
    const route = this.#map.route(ref.bucket);
    const { body, info, range, partChecksum } = await route.backend.read(originRef(route, ref.key), options, signal);
    return {
      info: named(info, ref.key),
      range,
      partChecksum,
      chunks: new BodyChunks(addAbortSignal(signal, body)),
      source: 'origin',
      versionAgeMs: 0,
    };
  }

  async list(bucket: string, options: ListOptions, signal: AbortSignal): Promise<ListPage> {
    const route = this.#map.route(bucket);
    const page = await route.backend.list(
      route.bucket,
      {
        ...options,
        prefix: route.prefix + (options.prefix ?? ''),
        startAfter: options.startAfter === undefined ? undefined : route.prefix + options.startAfter,
      },
      signal,
    );
    return {
      ...page,
      objects: page.objects.map((object) => named(object, withoutPrefix(route, object.key))),
      prefixes: page.prefixes.map((prefix) => withoutPrefix(route, prefix)),
    };
  }

  async put(ref: ObjectRef, body: UploadBody, options: PutOptions, signal: AbortSignal): Promise<Written> {
    const route = this.#map.route(ref.bucket);
    const put = ability(route, 'put');
    return put(originRef(route, ref.key), body, options, signal);
  }

  async delete(ref: ObjectRef, options: DeleteOptions, signal: AbortSignal): Promise<Deleted> {
    const route = this.#map.route(ref.bucket);
    return ability(route, 'delete')(originRef(route, ref.key), options, signal);
  }

  async deleteMany(
    bucket: string,
    targets: readonly DeleteTarget[],
    signal: AbortSignal,
  ): Promise<readonly DeleteOutcome[]> {
    const route = this.#map.route(bucket);
    const atOrigin = targets.map((target) => ({ ...target, key: route.prefix + target.key }));
    const outcomes =
      route.backend.deleteMany === undefined
        ? await deleteOneByOne(route, ability(route, 'delete'), atOrigin, signal)
        : await deleteInBatches(route, ability(route, 'deleteMany'), atOrigin, signal);
    return outcomes.map((outcome) => ({ ...outcome, key: withoutPrefix(route, outcome.key) }));
  }

  async copy(source: VersionRef, target: ObjectRef, options: CopyOptions, signal: AbortSignal): Promise<Copied> {
    const from = this.#map.route(source.bucket);
    const to = this.#map.route(target.bucket);
    const sourceRef = originVersion(from, source);
    return copyBetween({ route: from, ref: sourceRef }, { route: to, ref: originRef(to, target.key) }, options, signal);
  }

  async getTags(ref: VersionRef, signal: AbortSignal): ReturnType<Tagging['get']> {
    const route = this.#map.route(ref.bucket);
    return tagsAt(route, originVersion(route, ref), signal);
  }

  async setTags(ref: VersionRef, tags: Tags, signal: AbortSignal): ReturnType<Tagging['set']> {
    const route = this.#map.route(ref.bucket);
    return taggingOf(route).set(originVersion(route, ref), tags, signal);
  }

  async deleteTags(ref: VersionRef, signal: AbortSignal): ReturnType<Tagging['delete']> {
    const route = this.#map.route(ref.bucket);
    return taggingOf(route).delete(originVersion(route, ref), signal);
  }

  async setAcl(ref: VersionRef, acl: CannedAcl | undefined, signal: AbortSignal): ReturnType<ObjectAcls['set']> {
    const route = this.#map.route(ref.bucket);
    return aclsOf(route).set(originVersion(route, ref), acl, signal);
  }

  async objectParts(
    ref: VersionRef,
    options: PartListOptions,
    signal: AbortSignal,
  ): Promise<ObjectPartsPage | undefined> {
    const route = this.#map.route(ref.bucket);
    const origin = originVersion(route, ref);
    return route.backend.objectParts?.(origin, options, signal);
  }

  async createUpload(ref: ObjectRef, options: CreateUploadOptions, signal: AbortSignal): Promise<string> {
    const route = this.#map.route(ref.bucket);
    return multipartOf(route).createUpload(originRef(route, ref.key), options, signal);
  }

  uploadPart: Multipart['uploadPart'] = async (upload, partNumber, body, signal) => {
    const route = this.#map.route(upload.bucket);
    return multipartOf(route).uploadPart(originUpload(route, upload), partNumber, body, signal);
  };

  uploadPartCopy: NonNullable<Multipart['uploadPartCopy']> = async (upload, partNumber, source, options, signal) => {
    const from = this.#map.route(source.bucket);
    const to = this.#map.route(upload.bucket);
    const sourceRef = originVersion(from, source);
    const part = { route: to, upload: originUpload(to, upload), partNumber };
    return copyPartBetween({ route: from, ref: sourceRef }, part, options, signal);
  };

  async listParts(upload: UploadRef, options: PartListOptions, signal: AbortSignal): Promise<PartListPage> {
    const route = this.#map.route(upload.bucket);
    return multipartOf(route).listParts(originUpload(route, upload), options, signal);
  }

  async listUploads(bucket: string, options: ListUploadsOptions, signal: AbortSignal): Promise<UploadListPage> {
    const route = this.#map.route(bucket);
    const atOrigin = {
      ...options,
      prefix: route.prefix + (options.prefix ?? ''),
      keyMarker: options.keyMarker === undefined ? undefined : route.prefix + options.keyMarker,
    };
    const page = await multipartOf(route).listUploads(route.bucket, atOrigin, signal);
    return {
      uploads: page.uploads.map((upload) => ({ ...upload, key: withoutPrefix(route, upload.key) })),
      prefixes: page.prefixes.map((prefix) => withoutPrefix(route, prefix)),
      next: page.next && { ...page.next, keyMarker: withoutPrefix(route, page.next.keyMarker) },
    };
  }

  async completeUpload(
    upload: UploadRef,
    parts: readonly CompletedPart[],
    options: CompleteOptions,
    signal: AbortSignal,
  ): Promise<Written> {
    const route = this.#map.route(upload.bucket);
    const multipart = multipartOf(route);
    const atOrigin = originUpload(route, upload);
    await refuseSmallParts(multipart, route.backend.capabilities, atOrigin, parts, signal);
    return multipart.completeUpload(atOrigin, parts, options, signal);
  }

  async abortUpload(upload: UploadRef, signal: AbortSignal): Promise<void> {
    const route = this.#map.route(upload.bucket);
    await multipartOf(route).abortUpload(originUpload(route, upload), signal);
  }

  #routeOf(bucket: string): Route | undefined {
    try {
      return this.#map.route(bucket);
    } catch (error) {
      if (error instanceof BackendError && error.code === 'NoSuchBucket') return undefined;
      throw error;
    }
  }
}

function originVersion(route: Route, { key, versionId }: VersionRef): VersionRef {
  return { ...originRef(route, key), versionId };
}

function originUpload(route: Route, upload: UploadRef): UploadRef {
  return { ...upload, ...originRef(route, upload.key) };
}

function named<T extends { readonly key: string }>(info: T, key: string): T {
  return info.key === key ? info : { ...info, key };
}
