// One transfer of the backend bench in a process of its own, so that its memory and CPU are nobody else's:
// tsx transfer.ts BACKEND put|get BYTES PORT. Prints one line of JSON.
import { Readable } from 'node:stream';
import { request } from 'undici';
import type { Backend, UploadBody } from '../../backends/backend.ts';
import { openBenchBackend } from './open-bench-backend.ts';

const [kind = '', direction = '', size = '0', port = '0'] = process.argv.slice(2);
const sizeBytes = Number(size);
const REF = { bucket: 'bench', key: 'object' };
const CHUNK = Buffer.alloc(64 * 1024, 'dfstore');
const signal = new AbortController().signal;

function body(): UploadBody {
  let left = sizeBytes;
  const stream = new Readable({
    highWaterMark: 1024 * 1024,
    read() {
      const chunk = left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK;
      left -= chunk.length;
      this.push(chunk.length === 0 ? null : chunk);
    },
  });
  return { sizeBytes, stream, declared: {}, digests: () => ({ md5: Buffer.alloc(16) }) };
}

async function drain(source: AsyncIterable<Uint8Array>): Promise<void> {
  let seen = 0;
  for await (const chunk of source) seen += chunk.length;
  if (seen !== sizeBytes) throw new Error(`The origin sent ${seen} of ${sizeBytes} bytes.`);
}

async function plainUndici(): Promise<void> {
  const url = `http://127.0.0.1:${port}/bench/object`;
  if (direction === 'put') {
    const { stream } = body();
    const answer = await request(url, { method: 'PUT', body: stream, headers: { 'content-length': size } });
    await answer.body.dump();
  } else {
    await drain((await request(url, { bodyTimeout: 0 })).body);
  }
}

async function through(backend: Backend): Promise<void> {
  if (direction === 'put') {
    if (backend.put === undefined) throw new Error(`The ${kind} backend is read-only.`);
    await backend.put(REF, body(), { headers: {}, metadata: {} }, signal);
  } else {
    await drain((await backend.read(REF, {}, signal)).body);
  }
}

const backend = kind === 'undici' ? undefined : await openBenchBackend(kind, Number(port));
if (kind === 'fs' && direction === 'put') await backend?.buckets?.create(REF.bucket, { owner: 'bench' }, signal);
globalThis.gc?.();
const before = process.memoryUsage().rss;
let peak = before;
const sampler = setInterval(() => {
  peak = Math.max(peak, process.memoryUsage().rss);
}, 20);
const [cpuBefore, startedAt] = [process.cpuUsage(), performance.now()];
await (backend === undefined ? plainUndici() : through(backend));
const seconds = (performance.now() - startedAt) / 1000;
const cpu = process.cpuUsage(cpuBefore);
clearInterval(sampler);
await backend?.close();
const gib = sizeBytes / 1024 ** 3;
process.stdout.write(
  `${JSON.stringify({
    mibPerSecond: Math.round((gib * 1024) / seconds),
    cpuSecondsPerGib: Number(((cpu.user + cpu.system) / 1e6 / gib).toFixed(2)),
    rssGrowthMib: Math.round((peak - before) / 1024 ** 2),
  })}\n`,
);
process.exit(0);
