// Text in documents: escaping, URL encoding on request, and the paging that all listings share.

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

export function unescapedXml(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');
}

/** How names are written in an answer: URL-encoded when the request asked for it. */
export function nameWriter(encoding: string | undefined): (name: string) => string {
  return encoding === 'url'
    ? (name) => encodeURIComponent(name).replaceAll('%20', '+').replaceAll('%2F', '/')
    : escaped;
}

export interface Entry<T> {
  readonly name: string;
  /** Absent: a common prefix. */
  readonly item?: T;
}

/** Rolled up by the delimiter, in the order given (UTF-8 by key). */
export function entriesOf<T>(
  items: readonly (readonly [string, T])[],
  prefix: string,
  delimiter: string,
): readonly Entry<T>[] {
  const entries: Entry<T>[] = [];
  for (const [name, item] of items) {
    if (!name.startsWith(prefix)) continue;
    const at = delimiter === '' ? -1 : name.indexOf(delimiter, prefix.length);
    const group = at < 0 ? undefined : name.slice(0, at + delimiter.length);
    if (group === undefined) entries.push({ name, item });
    else if (entries.at(-1)?.name !== group || entries.at(-1)?.item !== undefined) entries.push({ name: group });
  }
  return entries;
}

export function compareNames(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
