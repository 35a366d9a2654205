// The tags of an object at its origin, as far as the origin has a way to read or change them.
import type { Tagging, VersionRef } from '../../backends/backend.ts';
import { taggingOf } from './abilities.ts';
import type { Route } from './bucket-map.ts';

/** An origin that cannot tell the tags may still tell that there are none, which tools ask before they copy. */
export async function tagsAt(route: Route, ref: VersionRef, signal: AbortSignal): ReturnType<Tagging['get']> {
  if (route.backend.tagging !== undefined) return route.backend.tagging.get(ref, signal);
  const { info } = await route.backend.head(ref, { versionId: ref.versionId }, signal);
  if (info.tagCount === undefined || info.tagCount === 0) return { tags: {}, versionId: info.versionId };
  return taggingOf(route).get(ref, signal);
}
