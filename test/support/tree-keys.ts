// Which of a set of keys an origin that keeps them as files in directories can hold: `a` and `a/b` are not there both.

/** Remembers what it accepted: of two keys in each other's way, the one asked about first is held. */
export function treeKeys(isName: (key: string) => boolean): (key: string) => boolean {
  const files = new Set<string>();
  const directories = new Set<string>();
  return (key) => {
    if (!isName(key)) return false;
    const segments = key.split('/');
    const above = segments.slice(1).map((_, index) => segments.slice(0, index + 1).join('/'));
    if (directories.has(key) || above.some((directory) => files.has(directory))) return false;
    files.add(key);
    for (const directory of above) directories.add(directory);
    return true;
  };
}
