// A table of a document, as data: what a document says in a table is checked against the code.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export type TableRow = Readonly<Record<string, string>>;

/** Cells by the heads of their columns, of the first table beneath a heading. Footnote marks are left off. */
export function tableBeneath(file: string, heading: string): readonly TableRow[] {
  const lines = readFileSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), 'utf8').split('\n');
  const from = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading);
  const first = lines.findIndex((line, index) => index > from && line.startsWith('|'));
  const next = lines.findIndex((line, index) => index > from && /^#+ /.test(line));
  if (from === -1 || first === -1 || (next !== -1 && next < first)) {
    throw new Error(`${file} has no table beneath '${heading}'.`);
  }
  const end = lines.findIndex((line, index) => index > first && !line.startsWith('|'));
  const [heads = [], , ...rows] = lines.slice(first, end === -1 ? undefined : end).map(cellsOf);
  return rows.map((cells) => Object.fromEntries(heads.map((head, index) => [head, cells[index] ?? ''])));
}

function cellsOf(line: string): string[] {
  return line
    .replace(/^\|\s*|\s*\|\s*$/g, '')
    .split(/\s*\|\s*/)
    .map((cell) =>
      cell
        .replace(/\[\^[^\]]*\]/g, '')
        .replace(/`/g, '')
        .trim(),
    );
}
