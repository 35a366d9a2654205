// From a key to the file that holds its bytes, below the bucket's directory, and back.
//
// A key is a path: its '/' are directories, and most keys are their own file names. What a file name cannot carry is
// written with '%':
//   %41     the byte 0x41: control characters, '%', '\', the names '.' and '..'; on file systems that fold case or
//           accents also capitals and everything beyond ASCII
//   %n %n3  an empty segment, three in a row: 'a//b' is a/%n/b, 'a/' is a/%n
//   …%m     a directory: the segment was longer than a file name may be and goes on inside
//   …%p …%k directory and file of a key whose plain path is taken: the key 'a' beside 'a/b' is the file a%k
// Upper-case hexadecimal digits are bytes, lower-case letters are marks, so no two keys share a path and keyOfPath is
// total over what these functions make. Paths hold no '..' and never begin with '/'.

/** File systems take 255 bytes a name; the rest is room for a mark. */
const NAME_MAX_BYTES = 248;

export interface KeyPaths {
  /** Where the key would be looked for by a person. */
  readonly plain: string;
  /** Never in the way of another key's directory or file. */
  readonly marked: string;
}

/** `folds`: the file system takes some different names for the same. */
export function pathsOfKey(key: string, folds: boolean): KeyPaths {
  const names = segmentNames(key, folds);
  const last = names.length - 1;
  const place = (directory: string, file: string) =>
    names.map((name, index) => name + (index === last ? file : name.endsWith('%m') ? '' : directory)).join('/');
  return { plain: place('', ''), marked: place('%p', '%k') };
}

export function keyOfPath(path: string): string {
  const segments: string[] = [];
  let begun = '';
  for (const name of path.split('/')) {
    const bare = begun + name.replace(/%[mpk]$/, '');
    const empties = /^%n(\d*)$/.exec(bare);
    begun = name.endsWith('%m') ? bare : '';
    if (begun !== '') continue;
    segments.push(...(empties === null ? [unescaped(bare)] : Array<string>(Number(empties[1] || 1)).fill('')));
  }
  return segments.join('/');
}

function segmentNames(key: string, folds: boolean): string[] {
  const names: string[] = [];
  let empties = 0;
  const flush = () => {
    if (empties > 0) names.push(empties === 1 ? '%n' : `%n${empties}`);
    empties = 0;
  };
  for (const segment of key.split('/')) {
    if (segment === '') {
      empties += 1;
      continue;
    }
    flush();
    names.push(...shortNames(escaped(segment, folds)));
  }
  flush();
  return names;
}

function escaped(segment: string, folds: boolean): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for.
  const unsafe = folds ? /[\0-\x1f\x7f%\\A-Z]|[^\0-\x7f]+/g : /[\0-\x1f\x7f%\\]/g;
  return segment.replace(unsafe, (found) =>
    [...Buffer.from(found)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}

function unescaped(name: string): string {
  const bytes = name.replace(/%[0-9A-F]{2}|[^%]+/g, (found) =>
    found.startsWith('%') ? String.fromCharCode(Number.parseInt(found.slice(1), 16)) : latin1(found),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** Cut between characters and never inside an escape; every name but the last ends in %m. */
function shortNames(name: string): string[] {
  if (Buffer.byteLength(name) <= NAME_MAX_BYTES) return [withoutDots(name)];
  const names: string[] = [];
  let current = '';
  let bytes = 0;
  for (const unit of name.match(/%[0-9A-F]{2}|./gsu) ?? []) {
    const length = Buffer.byteLength(unit);
    if (bytes + length > NAME_MAX_BYTES) {
      names.push(`${current}%m`);
      current = '';
      bytes = 0;
    }
    current += unit;
    bytes += length;
  }
  return [...names, withoutDots(current)];
}

/** The names '.' and '..' are other directories: also where they are what is left of a long segment. */
function withoutDots(name: string): string {
  return name === '.' || name === '..' ? name.replaceAll('.', '%2E') : name;
}
