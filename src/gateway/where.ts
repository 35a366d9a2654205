// Who holds an object's pieces, in the words of the admin port.
import { BackendError } from '../../backends/backend.ts';
import type { Where } from '../admin/where-route.ts';
import type { OpenedCache } from './object-cache.ts';

export function whereOver(cache: OpenedCache | undefined): Where {
  return async (ref, signal) => {
    const mesh = cache?.mesh;
    if (cache === undefined || mesh === undefined) {
      return 'This gateway has no mesh (mesh.listen): whatever is cached, it has by itself.';
    }
    try {
      const version = await cache.identify(ref, signal);
      if (version === undefined) {
        return `Nothing of '${ref.key}' is cached: bucket '${ref.bucket}' is read from its origin each time, or the origin does not tell versions apart.`;
      }
      const located = await mesh.locator.locate(version, signal);
      const { etag, size: sizeBytes, pieceSize } = version;
      return { ...ref, etag, sizeBytes, pieceSize, ...located };
    } catch (error) {
      if (!(error instanceof BackendError)) throw error;
      if (error.code === 'NoSuchKey') return `There is no object '${ref.key}' in bucket '${ref.bucket}'.`;
      if (error.code === 'NoSuchBucket') return `There is no bucket '${ref.bucket}'.`;
      throw error;
    }
  };
}
