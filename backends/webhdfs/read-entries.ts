// Pages of a directory's entries from the namenode.
import { BackendError } from '../backend.ts';
import type { ReadEntries } from './directory-cursor.ts';
import { compareNames } from './key-order.ts';
import type { Namenodes } from './namenodes.ts';
import { directoryListingAnswer, type FileStatus, fileStatusAnswer, readAnswer } from './protocol.ts';
import type { ReadDirectory } from './tree-walk.ts';

/** `pathOf`: undefined where no directory can be. A directory that is not there has no entries. */
export function readEntries(
  deps: { namenodes: Pick<Namenodes, 'ask'> },
  pathOf: (directory: string) => string | undefined,
): ReadDirectory {
  return (directory, namePrefix) => {
    const path = pathOf(directory);
    return path === undefined
      ? noEntries
      : pagesOf(deps.namenodes, path, namePrefix, pathOf(`${directory}${namePrefix}/`));
  };
}

async function* noEntries(): AsyncGenerator<readonly FileStatus[]> {}

function pagesOf(
  namenodes: Pick<Namenodes, 'ask'>,
  path: string,
  namePrefix: string,
  prefixPath: string | undefined,
): ReadEntries {
  return async function* pages(after, signal) {
    let startAfter = after;
    // The namenode goes on after a name, never at it: the entry that is the prefix itself is asked for by itself.
    if (after === '' && namePrefix !== '') {
      startAfter = namePrefix;
      const status = prefixPath === undefined ? undefined : await statusOf(namenodes, prefixPath, signal);
      if (status !== undefined) yield [{ ...status, pathSuffix: namePrefix }];
    }
    for (;;) {
      const listing = await pageAfter(namenodes, path, startAfter, signal);
      if (listing === undefined) return;
      const position = startAfter;
      const further = listing.entries.filter((entry) => compareNames(entry.pathSuffix, position) > 0);
      if (listing.remaining > 0 && further.length === 0) throw stuck(path);
      yield further.filter((entry) => entry.pathSuffix.startsWith(namePrefix));
      const last = further.at(-1)?.pathSuffix;
      // Names that share a prefix are together in any order of bytes.
      if (last === undefined || listing.remaining === 0 || !last.startsWith(namePrefix)) return;
      startAfter = last;
    }
  };
}

async function statusOf(
  namenodes: Pick<Namenodes, 'ask'>,
  path: string,
  signal: AbortSignal,
): Promise<FileStatus | undefined> {
  const answer = await unlessAbsent(namenodes.ask({ op: 'GETFILESTATUS', path }, signal));
  return answer && (await readAnswer(answer, fileStatusAnswer, signal)).FileStatus;
}

async function pageAfter(
  namenodes: Pick<Namenodes, 'ask'>,
  path: string,
  startAfter: string,
  signal: AbortSignal,
): Promise<{ entries: readonly FileStatus[]; remaining: number } | undefined> {
  const parameters = startAfter === '' ? undefined : { startAfter: plainBefore(startAfter) };
  const answer = await unlessAbsent(namenodes.ask({ op: 'LISTSTATUS_BATCH', path, parameters }, signal));
  if (answer === undefined) return undefined;
  const { DirectoryListing } = await readAnswer(answer, directoryListingAnswer, signal);
  const all = DirectoryListing.partialListing.FileStatuses.FileStatus;
  // Of a file the listing is one entry without a name.
  const entries = all.filter((entry) => entry.pathSuffix !== '');
  return { entries, remaining: DirectoryListing.remainingEntries };
}

/**
 * Hadoop decodes the name to go on after twice (seen in 3.4.1), others once: with a '%' in it they would go on at
 * different places, and some entries would be lost. So they are asked to go on just before the '%', which may bring
 * entries again.
 */
function plainBefore(name: string): string {
  const at = name.indexOf('%');
  return at === -1 ? name : `${name.slice(0, at)}$~`;
}

function stuck(path: string): BackendError {
  return new BackendError(
    'NotSupported',
    `HDFS gives no way past its entries in ${path}: more of them than it lists at once (dfs.ls.limit) begin alike up to a '%'.`,
  );
}

async function unlessAbsent<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof BackendError && (error.code === 'NoSuchKey' || error.code === 'InvalidArgument')) {
      return undefined;
    }
    throw error;
  }
}
