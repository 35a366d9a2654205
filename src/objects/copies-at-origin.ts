// Copies between buckets: by the origin itself where both lie in it and it can, otherwise through this gateway.
import type {
  Copied,
  CopyOptions,
  Multipart,
  ObjectRef,
  PartCopyOptions,
  UploadRef,
  VersionRef,
} from '../../backends/backend.ts';
import { ability, multipartOf } from './abilities.ts';
import type { Route } from './bucket-map.ts';
import { relayCopy, relayPartCopy } from './relay.ts';

/** Names are the origins' own. */
interface CopySource {
  readonly route: Route;
  readonly ref: VersionRef;
}

interface CopyTarget {
  readonly route: Route;
  readonly ref: ObjectRef;
}

interface PartTarget {
  readonly route: Route;
  readonly upload: UploadRef;
  readonly partNumber: number;
}

export async function copyBetween(
  from: CopySource,
  to: CopyTarget,
  options: CopyOptions,
  signal: AbortSignal,
): Promise<Copied> {
  const { backend } = to.route;
  if (from.route.backend === backend && backend.copy !== undefined) {
    return backend.copy(from.ref, to.ref, options, signal);
  }
  return relayCopy(
    readable(from),
    { put: ability(to.route, 'put'), ref: to.ref, wantsMd5: backend.capabilities.wantsMd5 },
    options,
    signal,
  );
}

export async function copyPartBetween(
  from: CopySource,
  to: PartTarget,
  options: PartCopyOptions,
  signal: AbortSignal,
): ReturnType<NonNullable<Multipart['uploadPartCopy']>> {
  const { route, upload, partNumber } = to;
  const multipart = multipartOf(route);
  if (from.route.backend === route.backend && multipart.uploadPartCopy !== undefined) {
    return multipart.uploadPartCopy(upload, partNumber, from.ref, options, signal);
  }
  const { wantsMd5 } = route.backend.capabilities;
  return relayPartCopy(readable(from), { multipart, upload, partNumber, wantsMd5 }, options, signal);
}

function readable({ route: { backend }, ref }: CopySource) {
  return { read: backend.read.bind(backend), ref };
}
