// Everything that may happen to the files of a cache behind its back, at random.
import { copyFile, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import fc from 'fast-check';

export const damage = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), file: fc.nat(), byte: fc.nat(), bit: fc.nat(7) }),
  fc.record({ kind: fc.constant('truncate' as const), file: fc.nat(), byte: fc.nat() }),
  fc.record({ kind: fc.constant('lengthen' as const), file: fc.nat(), byte: fc.nat() }),
  fc.record({ kind: fc.constant('swap' as const), file: fc.nat(), other: fc.nat() }),
  fc.record({ kind: fc.constant('copy' as const), file: fc.nat(), other: fc.nat() }),
  fc.record({ kind: fc.constant('delete' as const), file: fc.nat() }),
  fc.record({ kind: fc.constant('delete LevelDB' as const) }),
);

export type Damage = typeof damage extends fc.Arbitrary<infer T> ? T : never;

export async function inflict(levelPath: string, files: readonly string[], what: Damage): Promise<void> {
  if (what.kind === 'delete LevelDB') return rm(levelPath, { recursive: true, force: true });
  const at = (index: number): string => files[index % files.length] ?? '';
  const file = at(what.file);
  const bytes = await readFile(file).catch(() => undefined);
  if (bytes === undefined || bytes.length === 0) return undefined;
  switch (what.kind) {
    case 'flip': {
      const byte = what.byte % bytes.length;
      bytes[byte] = (bytes[byte] ?? 0) ^ (1 << what.bit);
      return writeFile(file, bytes);
    }
    case 'truncate':
      return truncate(file, what.byte % bytes.length);
    case 'lengthen':
      return truncate(file, bytes.length + (what.byte % 10_000));
    case 'delete':
      return rm(file, { force: true });
    case 'copy':
      return copyFile(file, at(what.other)).catch(() => undefined);
    case 'swap': {
      const other = at(what.other);
      if (other === file) return undefined;
      await rename(file, `${file}.swap`);
      await rename(other, file).catch(() => undefined);
      return rename(`${file}.swap`, other);
    }
  }
}
