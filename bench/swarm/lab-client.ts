// The client beside each gateway: curl on the loopback address. It waits at a gate, so that all begin at once, and each
// byte that it got is compared with the origin's.
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OBJECT_URL } from './lab-gateway.ts';
import { type LabNodes, type Started, textOf } from './lab-nodes.ts';
import type { LabObject } from './lab-origin.ts';

/** Half-open, in bytes of the object. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

export interface Reading {
  /** Absent: the whole object. */
  readonly ranges?: readonly Range[];
  readonly limitSeconds: number;
}

/** How a client ended. */
export interface Read {
  readonly seconds: number;
  readonly exitCode: number | null;
  readonly printed: string;
}

const RANGES_AT_ONCE = 4;
const CURL = 'curl --silent --show-error --fail';

export class LabClient {
  readonly #started: Started;
  readonly #folder: string;
  readonly #ranges: readonly Range[] | undefined;

  private constructor(started: Started, folder: string, ranges: readonly Range[] | undefined) {
    this.#started = started;
    this.#folder = folder;
    this.#ranges = ranges;
  }

  static async prepare(nodes: LabNodes, node: number, { ranges, limitSeconds }: Reading): Promise<LabClient> {
    const folder = join(nodes.folderOf(node), 'client');
    await mkdir(folder, { recursive: true });
    if (ranges !== undefined) await writeFile(join(folder, 'ranges'), rangeRequests(folder, ranges));
    const reading =
      ranges === undefined
        ? `set -o pipefail; ${CURL} ${OBJECT_URL} | openssl dgst -sha256 -r`
        : `${CURL} --parallel --parallel-immediate --parallel-max ${RANGES_AT_ONCE} --config ${folder}/ranges`;
    const limited = `exec timeout --kill-after=1 ${Math.ceil(limitSeconds)} bash -c '${reading}'`;
    return new LabClient(await nodes.start(node, 'client', `read -r gate\n${limited}`), folder, ranges);
  }

  /** Opens the gate. For a client that nobody waits for. */
  open(): void {
    this.#started.child.stdin?.end('open\n');
  }

  /** Opens the gate and waits for its end. */
  async read(): Promise<Read> {
    const { child } = this.#started;
    const openedAt = performance.now();
    this.open();
    const closed = once(child, 'close').then(() => (performance.now() - openedAt) / 1000);
    const printed = await textOf(child);
    return { seconds: await closed, exitCode: child.exitCode, printed };
  }

  /** What went wrong with its reading, in words; absent where every byte was right. */
  async problem(read: Read, object: LabObject): Promise<string | undefined> {
    if (read.exitCode !== 0) {
      const said = (await readFile(this.#started.log, 'utf8')).trim();
      return `ended with ${read.exitCode === 124 ? 'its time over' : read.exitCode} after ${read.seconds} s. ${said}`;
    }
    if (this.#ranges === undefined) {
      return read.printed.startsWith(object.sha256) ? undefined : `got bytes of SHA-256 ${read.printed.trim()}`;
    }
    for (const [number, { start, end }] of this.#ranges.entries()) {
      const got = await readFile(join(this.#folder, `${number}`));
      if (!got.equals(object.bytes.subarray(start, end))) return `got other bytes for ${start} to ${end}`;
    }
    return undefined;
  }
}

function rangeRequests(folder: string, ranges: readonly Range[]): string {
  const requests = ranges.map(({ start, end }, number) =>
    [`url = "${OBJECT_URL}"`, `range = "${start}-${end - 1}"`, `output = "${folder}/${number}"`].join('\n'),
  );
  return requests.join('\nnext\nfail\nsilent\nshow-error\n');
}
