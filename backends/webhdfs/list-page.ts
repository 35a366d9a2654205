// One page of a listing, from a walk of the tree: cut at the delimiter, counted, and continued by a token.
import type { ListOptions, ListPage, ObjectSummary } from '../backend.ts';
import { fileSummary } from './file-info.ts';
import { decodeToken, encodeToken } from './list-token.ts';
import { type ReadDirectory, TreeWalk } from './tree-walk.ts';

export async function listPage(read: ReadDirectory, options: ListOptions, signal: AbortSignal): Promise<ListPage> {
  const { prefix = '', token } = options;
  const from = token === undefined ? undefined : decodeToken(token, options);
  const walk = openWalk(read, options, from?.places);
  const objects: ObjectSummary[] = [];
  const prefixes: string[] = [];
  let reported = from === undefined ? options.startAfter : from.reported;
  for (;;) {
    const isFull = objects.length + prefixes.length === options.maxEntries;
    const places = isFull ? walk.places() : undefined;
    const walked = await walk.next(signal);
    if (walked === undefined) return { objects, prefixes };
    if (!walked.key.startsWith(prefix)) continue;
    const common = commonPrefix(walked.key, prefix, options.delimiter);
    if (common !== undefined && common === reported) continue;
    if (places !== undefined) {
      return {
        objects,
        prefixes,
        nextToken: encodeToken({ places, reported: prefixes.at(-1) ?? from?.reported }, options),
      };
    }
    if (common !== undefined) {
      prefixes.push(common);
      reported = common;
    } else if (walked.file !== undefined) {
      objects.push(fileSummary(walked.key, walked.file));
    }
  }
}

/** With the delimiter '/', directories are the common prefixes, and need no walk. */
function openWalk(
  read: ReadDirectory,
  options: ListOptions,
  places: ConstructorParameters<typeof TreeWalk>[2],
): TreeWalk {
  const { prefix = '', delimiter, startAfter, token } = options;
  const cut = prefix.lastIndexOf('/') + 1;
  return new TreeWalk(
    read,
    {
      directory: prefix.slice(0, cut),
      namePrefix: prefix.slice(cut),
      deep: delimiter !== '/',
      startAfter: token === undefined ? startAfter : undefined,
    },
    places,
  );
}

function commonPrefix(key: string, prefix: string, delimiter: string | undefined): string | undefined {
  if (delimiter === undefined || delimiter === '') return undefined;
  const at = key.indexOf(delimiter, prefix.length);
  return at === -1 ? undefined : key.slice(0, at + delimiter.length);
}
