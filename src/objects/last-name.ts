// Where a listing by marker goes on after a page.
import type { ListPage } from '../../backends/backend.ts';

/** The greatest name on the page in UTF-8 byte order: where a listing by marker goes on. */
export function lastName(page: ListPage): { readonly name: string; readonly isPrefix: boolean } | undefined {
  const key = page.objects.at(-1)?.key;
  const prefix = page.prefixes.at(-1);
  if (prefix !== undefined && (key === undefined || Buffer.compare(Buffer.from(prefix), Buffer.from(key)) > 0)) {
    return { name: prefix, isPrefix: true };
  }
  return key === undefined ? undefined : { name: key, isPrefix: false };
}
