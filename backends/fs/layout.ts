// Where things lie below the root. Bucket names never begin with '.', so nothing of ours is in an object's way:
//   <bucket>/<key>              the bytes of an object, by key-path.ts
//   .dfstore/v1/index/          what each object is (object-index.ts)
//   .dfstore/v1/ballast         room for bad times (ballast.ts)
//   .dfstore/v1/tmp/            bodies on their way; swept when the root is opened
//   .dfstore/v1/uploads/<id>/   parts of multipart uploads
//   .dfstore/v1/versions/       versions of keys that are not the current one (succession.ts)
import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { BackendError } from '../backend.ts';

/** A path below the root has to fit the system's 4,096 bytes with the longest key. */
const ROOT_MAX_BYTES = 512;

export class Layout {
  readonly root: string;
  readonly internal: string;
  readonly index: string;
  readonly tmp: string;
  readonly uploads: string;
  readonly versions: string;

  constructor(root: string) {
    if (Buffer.byteLength(root) > ROOT_MAX_BYTES) {
      throw new BackendError('Misconfigured', `The root's path is longer than ${ROOT_MAX_BYTES} bytes: ${root}`);
    }
    this.root = root;
    this.internal = join(root, '.dfstore');
    const current = join(this.internal, 'v1');
    this.index = join(current, 'index');
    this.tmp = join(current, 'tmp');
    this.uploads = join(current, 'uploads');
    this.versions = join(current, 'versions');
  }

  newTemp(): string {
    return join(this.tmp, randomUUID());
  }

  upload(uploadId: string): string {
    return join(this.uploads, uploadId);
  }

  /** A place below the versions' directory that nothing is in; spread over 256 directories. */
  newVersionPath(): string {
    const name = randomBytes(16).toString('hex');
    return join(name.slice(0, 2), name);
  }

  version(path: string): string {
    return join(this.versions, path);
  }

  bucket(bucket: string): string {
    return join(this.root, bucket);
  }

  /** `path` as key-path.ts makes it: it has no '..'. */
  object(bucket: string, path: string): string {
    return join(this.root, bucket, path);
  }
}
