// Listings of versions: the current objects and the other versions are two rows of names in the same order, merged key by
// key. Like listings of objects (listing.ts), a page reads about as many rows as it has entries and steps over each
// common prefix with one seek.
import type { DeleteMarkerSummary, ListVersionsOptions, ObjectVersionSummary, VersionListPage } from '../backend.ts';
import { findVersion, versionIdOf } from './find-version.ts';
import { commonPrefix } from './listing.ts';
import { LAST_BYTE, type RowScan, type Rows } from './object-index.ts';
import { isMarker, NULL_VERSION, type ObjectRow, objectSummary, rowName, type VersionRow } from './records.ts';
import { orderOfVersionId } from './version-ids.ts';

const ROWS_AT_ONCE = 256;

type Version = ObjectVersionSummary | DeleteMarkerSummary;

export async function listVersions(
  rows: Pick<Rows, 'get' | 'scan' | 'atOneMoment'>,
  bucket: string,
  options: ListVersionsOptions,
): Promise<VersionListPage> {
  const start = await startOf(rows, bucket, options);
  return rows.atOneMoment(async (scan) => {
    const currents = new Names(scan, rowName.object({ bucket, key: '' }), options.prefix ?? '', start.current);
    const others = new Names(scan, rowName.versions({ bucket, key: '' }), options.prefix ?? '', start.other);
    try {
      return await mergedPage(currents, others, start.within, options);
    } finally {
      await Promise.all([currents.close(), others.close()]);
    }
  });
}

async function mergedPage(
  currents: Names,
  others: Names,
  within: string | undefined,
  { prefix = '', delimiter, maxEntries }: ListVersionsOptions,
): Promise<VersionListPage> {
  const page = { versions: [] as Version[], prefixes: [] as string[] };
  /** The key whose newest version was told already, on this page or before it. */
  let begun = within;
  let last: VersionListPage['next'];
  for (;;) {
    const [current, other] = [await currents.peek(), await others.peek()];
    const isCurrent = current !== undefined && (other === undefined || comesFirst(current.key, other.key));
    const entry = isCurrent ? current : other;
    if (entry === undefined) return page;
    if (page.versions.length + page.prefixes.length === maxEntries) return { ...page, next: last };
    const { key } = entry;
    const common = commonPrefix(key, prefix, delimiter === '' ? undefined : delimiter);
    if (common !== undefined) {
      page.prefixes.push(common);
      last = { keyMarker: common };
      await currents.skip(common);
      await others.skip(common);
      continue;
    }
    const version = isCurrent ? currentVersion(key, entry.json) : otherVersion(key, entry.json, begun !== key);
    page.versions.push(version);
    last = { keyMarker: key, versionIdMarker: version.versionId };
    begun = key;
    (isCurrent ? currents : others).take();
  }
}

/** A current object is the newest version of its key. */
function comesFirst(current: string, other: string): boolean {
  return current === other || Buffer.compare(Buffer.from(current), Buffer.from(other)) < 0;
}

function currentVersion(key: string, json: string): Version {
  const row = JSON.parse(json) as ObjectRow;
  return { ...objectSummary(key, row), versionId: versionIdOf(row), isLatest: true };
}

function otherVersion(key: string, json: string, isLatest: boolean): Version {
  const row = JSON.parse(json) as VersionRow;
  const versionId = versionIdOf(row);
  if (!isMarker(row)) return { ...objectSummary(key, row), versionId, isLatest };
  return { key, deleteMarker: true, versionId, isLatest, lastModified: new Date(row.lastModified) };
}

interface Start {
  /** The least names to be looked at, after the key space and the bucket. */
  readonly current: Buffer | undefined;
  readonly other: Buffer | undefined;
  /** The key in the midst of whose versions the page begins. */
  readonly within: string | undefined;
}

async function startOf(rows: Pick<Rows, 'get'>, bucket: string, options: ListVersionsOptions): Promise<Start> {
  const { keyMarker = '', versionIdMarker = '', prefix = '', delimiter } = options;
  if (keyMarker === '') return { current: undefined, other: undefined, within: undefined };
  if (versionIdMarker !== '') {
    const after = await orderOfMarker(rows, { bucket, key: keyMarker, versionId: versionIdMarker });
    // Orders are hexadecimal: what begins with the marker's own and a letter beyond them comes after it alone.
    const other = after === undefined ? `${keyMarker}\0` : `${keyMarker}\0${after}g`;
    return { current: Buffer.from(`${keyMarker}\0`), other: Buffer.from(other), within: keyMarker };
  }
  const common = commonPrefix(keyMarker, prefix, delimiter === '' ? undefined : delimiter);
  if (common === keyMarker) {
    const past = Buffer.concat([Buffer.from(common), LAST_BYTE]);
    return { current: past, other: past, within: undefined };
  }
  // A NUL ends the key in the names of versions: after it comes what is of this key.
  return { current: Buffer.from(`${keyMarker}\0`), other: Buffer.from(`${keyMarker}\u0001`), within: undefined };
}

/** Undefined: the marker is the current object, and all other versions of its key follow. */
async function orderOfMarker(
  rows: Pick<Rows, 'get'>,
  ref: { bucket: string; key: string; versionId: string },
): Promise<string | undefined> {
  if (ref.versionId !== NULL_VERSION) return orderOfVersionId(ref.versionId);
  const found = await findVersion(rows, ref);
  return found?.isCurrent === false ? found.row.order : undefined;
}

interface Name {
  readonly key: string;
  readonly json: string;
}

/** The rows of one key space, looked at one by one. */
class Names {
  readonly #space: Buffer;
  readonly #scan: RowScan;
  #batch: Name[] = [];
  #ended = false;

  constructor(scan: Rows['scan'], space: string, prefix: string, from: Buffer | undefined) {
    this.#space = Buffer.from(space);
    const least = Buffer.from(space + prefix);
    const first = from === undefined ? least : Buffer.concat([this.#space, from]);
    this.#scan = scan(space + prefix, Buffer.compare(first, least) > 0 ? first : least);
  }

  async peek(): Promise<Name | undefined> {
    if (this.#batch.length === 0 && !this.#ended) {
      const rows = await this.#scan.next(ROWS_AT_ONCE);
      this.#ended = rows.length === 0;
      this.#batch = rows.map(([name, json]) => ({ key: keyOf(name.subarray(this.#space.length)), json }));
    }
    return this.#batch[0];
  }

  take(): void {
    this.#batch.shift();
  }

  /** Past every key that begins with this. */
  async skip(prefix: string): Promise<void> {
    while ((await this.peek()) !== undefined && this.#batch[0]?.key.startsWith(prefix)) {
      const last = this.#batch.at(-1);
      if (last === undefined || !last.key.startsWith(prefix)) this.take();
      else {
        this.#batch = [];
        this.#scan.seek(Buffer.concat([this.#space, Buffer.from(prefix), LAST_BYTE]));
      }
    }
  }

  async close(): Promise<void> {
    await this.#scan.close();
  }
}

function keyOf(name: Buffer): string {
  const end = name.indexOf(0);
  return name.subarray(0, end === -1 ? undefined : end).toString();
}
