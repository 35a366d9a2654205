// The tags of an object at its origin, as far as the origin has a way to read or change them.
import { BackendError, type Tagging, type VersionRef } from '../../backends/backend.ts';
import type { Route } from './bucket-map.ts';

export function taggingOf({ backend }: Route): Tagging {
  if (backend.tagging !== undefined) return backend.tagging;
  throw new BackendError('NotSupported', `The ${backend.kind} backend does not read or change the tags of objects.`);
}

/** An origin that cannot tell the tags may still tell that there are none, which tools ask before they copy. */
export async function tagsAt(route: Route, ref: VersionRef, signal: AbortSignal): ReturnType<Tagging['get']> {
  if (route.backend.tagging !== undefined) return route.backend.tagging.get(ref, signal);
  const { info } = await route.backend.head(ref, { versionId: ref.versionId }, signal);
  if (info.tagCount === undefined || info.tagCount === 0) return { tags: {}, versionId: info.versionId };
  return taggingOf(route).get(ref, signal);
}
