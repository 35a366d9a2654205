// Hadoop's own mini-cluster, where DFSTORE_TEST_HADOOP names the directory that test/support/hadoop/fetch.sh filled.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const SOURCE = fileURLToPath(new URL('hadoop/MiniWebHdfs.java', import.meta.url));

export class HadoopCluster {
  readonly namenodes: readonly string[];
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #home: string;
  #active = 0;

  private constructor(child: ChildProcess, lines: AsyncIterator<string>, home: string, namenodes: readonly string[]) {
    this.#child = child;
    this.#lines = lines;
    this.#home = home;
    this.namenodes = namenodes;
  }

  static async start(jars: string): Promise<HadoopCluster> {
    const home = await mkdtemp(join(tmpdir(), 'dfstore-hadoop-'));
    const child = spawn('java', ['-cp', join(jars, '*'), SOURCE, home], {
      cwd: home,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const lines = (createInterface({ input: child.stdout }) as Interface)[Symbol.asyncIterator]();
    const ready = await lineLike(lines, /^ready (\d+) (\d+)$/);
    const namenodes = ready.slice(1).map((port) => `http://localhost:${port}`);
    return new HadoopCluster(child, lines, home, namenodes);
  }

  /** Makes the other namenode the active one. */
  async failOver(): Promise<void> {
    this.#child.stdin?.write('failover\n');
    await lineLike(this.#lines, /^done$/);
    this.#active = 1;
  }

  async write(path: string, bytes: Buffer): Promise<void> {
    const query = `op=CREATE&overwrite=true&noredirect=true&user.name=${user()}`;
    const name = path.split('/').map(encodeURIComponent).join('/');
    const asked = await sendPut(`${this.namenodes[this.#active]}/webhdfs/v1${name}?${query}`, Buffer.alloc(0));
    if (asked.status !== 200) throw new Error(`HDFS refused ${path}: HTTP ${asked.status} ${asked.text}`);
    const { Location } = JSON.parse(asked.text) as { Location: string };
    const written = await sendPut(Location, bytes);
    if (written.status !== 201) throw new Error(`HDFS refused ${path}: HTTP ${written.status} ${written.text}`);
  }

  async close(): Promise<void> {
    const exited = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.stdin?.end();
    await exited;
    await rm(this.#home, { recursive: true, force: true });
  }
}

/** HDFS's superuser is whoever started it. */
export function user(): string {
  return process.env.USER ?? 'root';
}

/** By node:http, because datanodes send '100 Continue' to whoever did not ask, which undici refuses. */
function sendPut(url: string, bytes: Buffer): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'PUT', agent: false, headers: { 'content-length': bytes.length } });
    sent.once('error', reject);
    sent.once('response', (answer) => {
      text(answer).then((read) => resolve({ status: answer.statusCode ?? 0, text: read }), reject);
    });
    sent.end(bytes);
  });
}

/** Skips what Hadoop logs; rejects when the cluster ends instead. */
async function lineLike(lines: AsyncIterator<string>, wanted: RegExp): Promise<RegExpExecArray> {
  for (;;) {
    const { value, done } = await lines.next();
    if (done === true) throw new Error('The mini-cluster ended.');
    const found = wanted.exec(value);
    if (found !== null) return found;
  }
}
