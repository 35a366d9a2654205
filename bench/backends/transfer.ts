// One transfer of the backend bench in a process of its own, so that its memory and CPU are nobody else's; forked by
// transfer-process.ts with: KIND put|get BYTES PORT FOLDER. Tells its parent how far it is, and its figures at the end.
import { Readable } from 'node:stream';
import { request } from 'undici';
import type { Backend, UploadBody } from '../../backends/backend.ts';
import { chunkAt } from './bench-object.ts';
import { openBenchBackend } from './open-bench-backend.ts';
import type { Direction, Figures, Kind, Told } from './transfer-process.ts';

const [kind, direction, size, port, folder = ''] = process.argv.slice(2) as [Kind, Direction, string, string, string];
const sizeBytes = Number(size);
const REF = { bucket: 'bench', key: 'object' };
const MIB = 1024 ** 2;
const signal = new AbortController().signal;
let doneBytes = 0;

function body(): UploadBody {
  const stream = new Readable({
    highWaterMark: MIB,
    read() {
      const chunk = chunkAt(doneBytes, sizeBytes);
      doneBytes += chunk.length;
      this.push(chunk.length === 0 ? null : chunk);
    },
  });
  return { sizeBytes, stream, declared: {}, digests: () => ({ md5: Buffer.alloc(16) }) };
}

async function drain(source: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of source) doneBytes += chunk.length;
}

async function plainUndici(): Promise<void> {
  const url = `http://127.0.0.1:${port}/bench/object`;
  if (direction === 'get') {
    await drain((await request(url, { bodyTimeout: 0 })).body);
    return;
  }
  const { stream } = body();
  const answer = await request(url, { method: 'PUT', body: stream, headers: { 'content-length': size } });
  await answer.body.dump();
  if (answer.statusCode !== 200) throw new Error(`The origin answered undici's put with ${answer.statusCode}.`);
}

async function through(backend: Backend): Promise<void> {
  if (direction === 'get') {
    await drain((await backend.read(REF, {}, signal)).body);
    return;
  }
  if (backend.put === undefined) throw new Error(`The ${kind} backend is read-only.`);
  await backend.put(REF, body(), { headers: {}, metadata: {} }, signal);
}

async function measure(backend: Backend | undefined): Promise<Figures> {
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  let peak = before;
  const sampler = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 20);
  const [cpuBefore, startedAt] = [process.cpuUsage(), performance.now()];
  await (backend === undefined ? plainUndici() : through(backend));
  const seconds = (performance.now() - startedAt) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  clearInterval(sampler);
  if (doneBytes !== sizeBytes) throw new Error(`${doneBytes} of ${sizeBytes} bytes passed.`);
  const gib = sizeBytes / 1024 ** 3;
  return {
    mibPerSecond: sizeBytes / MIB / seconds,
    cpuSecondsPerGib: (cpu.user + cpu.system) / 1e6 / gib,
    rssGrowthMib: (peak - before) / MIB,
  };
}

function tell(told: Told): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send?.(told, (error: Error | null) => (error === null ? resolve() : reject(error)));
  });
}

const backend = kind === 'undici' ? undefined : await openBenchBackend(kind, Number(port), folder);
if (kind === 'fs' && direction === 'put') await backend?.buckets?.create(REF.bucket, { owner: 'bench' }, signal);
const progress = setInterval(() => process.send?.({ doneBytes } satisfies Told), 1_000);
const figures = await measure(backend);
clearInterval(progress);
await backend?.close();
await tell({ figures });
process.exit(0);
