// The guard before every origin: exact, verified, and no faster than its reader.
import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { BackendError } from '../../backends/backend.ts';
import { createHasher } from '../../backends/checksums.ts';
import { type BodyGuard, guardBody } from '../../src/objects/guarded-body.ts';

function guard(sizeBytes: number, more: Partial<BodyGuard> = {}): BodyGuard {
  return { sizeBytes, hashers: [], verify: () => {}, ...more };
}

/** What came out, taken the moment it was given, and how it ended. */
async function read(body: Readable): Promise<{ given: string; error: unknown }> {
  const chunks: Buffer[] = [];
  body.on('data', (chunk: Buffer) => chunks.push(chunk));
  const error = await finished(body).catch((reason: unknown) => reason);
  return { given: Buffer.concat(chunks).toString(), error };
}

async function* texts(...parts: string[]): AsyncGenerator<Buffer> {
  for (const part of parts) yield Buffer.from(part);
}

test('a body of the right length comes through, hashed before it is verified', async () => {
  const hasher = createHasher('SHA256');
  const seen: string[] = [];
  const verify = () => void seen.push(hasher.digest().toString('hex'));
  expect(await read(guardBody(texts('hel', 'lo'), guard(5, { hashers: [hasher], verify })))).toEqual({
    given: 'hello',
    error: undefined,
  });
  expect(seen).toEqual(['2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824']);
});

test('a body that does not verify is destroyed with that very reason before its last bytes', async () => {
  const reason = new Error('wrong');
  const verify = () => {
    throw reason;
  };
  const large = 'x'.repeat(10_000);
  const { given, error } = await read(guardBody(texts(large, large), guard(20_000, { verify })));
  expect(error).toBe(reason);
  expect(given).toBe(large);
});

test('a body that is too short or too long is refused, and never verified', async () => {
  const verify = () => {
    throw new Error('verified');
  };
  for (const size of [4, 6, 0]) {
    const { given, error } = await read(guardBody(texts('hel', 'lo'), guard(size, { verify })));
    expect(error).toBeInstanceOf(BackendError);
    expect(error).toMatchObject({ code: 'Unavailable', message: expect.stringContaining(`of ${size} bytes`) });
    expect(given).toBe('');
  }
});

test("an error of the source is the body's own; a source that just closes is an error too", async () => {
  const reason = new BackendError('Timeout', 'The origin stalled.');
  for (const cause of [reason, undefined]) {
    const source = new Readable({ read() {} });
    const body = guardBody(source, guard(5));
    source.push('hel');
    const result = read(body);
    await turn();
    source.destroy(cause);
    const { error } = await result;
    if (cause === undefined) expect(error).toMatchObject({ code: 'Unavailable' });
    else expect(error).toBe(cause);
  }
});

test('a source that was lost before anyone read, or had nothing, does not leave its reader waiting', async () => {
  const lost = new Readable({ read() {} });
  lost.destroy();
  await once(lost, 'close');
  expect((await read(guardBody(lost, guard(5)))).error).toMatchObject({ code: 'Unavailable' });
  const empty = Readable.from([]);
  await empty.toArray();
  expect(await read(guardBody(empty, guard(0)))).toEqual({ given: '', error: undefined });
});

test('nothing is read before someone asks, and no more than is asked for', async () => {
  let produced = 0;
  const chunk = Buffer.alloc(64 * 1024);
  const source = new Readable({
    highWaterMark: chunk.length,
    read() {
      produced += chunk.length;
      this.push(produced > 64 << 20 ? null : chunk);
    },
  });
  const body = guardBody(source, guard(64 << 20));
  await turn();
  expect(produced).toBe(0);
  body.read(1);
  for (let round = 0; round < 1000; round += 1) await turn();
  expect(produced).toBeGreaterThan(0);
  expect(produced).toBeLessThanOrEqual(1 << 20);
  body.destroy();
});

test('an abandoned body leaves a stream it was given alive and paused, and ends a source it drew itself', async () => {
  const source = Readable.from(texts('hel', 'lo'));
  const body = guardBody(source, guard(5));
  body.resume();
  body.destroy();
  await once(body, 'close');
  expect([source.destroyed, source.isPaused()]).toEqual([false, true]);
  source.destroy(new Error('later'));
  await turn();

  let returned = false;
  async function* drawn(): AsyncGenerator<Buffer> {
    try {
      while (true) yield Buffer.alloc(64 * 1024);
    } finally {
      returned = true;
    }
  }
  const second = guardBody(drawn(), guard(1 << 30));
  await once(second, 'readable');
  second.destroy();
  await once(second, 'close');
  while (!returned) await turn();
});

test('slices of single bytes pass joined; large ones pass as they are, not copied', async () => {
  const single = Array.from({ length: 40_000 }, (_, index) => Buffer.from([index % 251]));
  const joined: Buffer[] = await guardBody(Readable.from(single), guard(40_000)).toArray();
  expect(joined.length).toBeLessThan(10);
  expect(Buffer.concat(joined).equals(Buffer.concat(single))).toBe(true);

  const large = [Buffer.alloc(64 * 1024, 1), Buffer.alloc(64 * 1024, 2)];
  const passed: Buffer[] = [];
  const body = guardBody(Readable.from(large), guard(128 * 1024));
  body.on('data', (chunk: Buffer) => passed.push(chunk));
  await once(body, 'end');
  expect(passed.map(({ buffer }) => buffer)).toEqual(large.map(({ buffer }) => buffer));
  expect(passed.every((chunk, index) => chunk.buffer === large[index]?.buffer)).toBe(true);
});

test('a client that leaves in the middle of its request is an error, and the answer to a refused one still arrives', async () => {
  const results: Promise<{ error: unknown }>[] = [];
  let begun: () => void = () => {};
  const server = createServer((request, response) => {
    const verify = () => {
      throw new Error('refused');
    };
    const body = guardBody(request, guard(Number(request.headers['content-length']), { verify }));
    begun();
    results.push(read(body).finally(() => response.writeHead(400).end('refused')));
  }).listen(0, '127.0.0.1');
  try {
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const options = { port, host: '127.0.0.1', method: 'PUT', headers: { 'content-length': 100_000 } };

    const kept = httpRequest(options);
    kept.end(Buffer.alloc(100_000));
    const [response] = await once(kept, 'response');
    expect(response.statusCode).toBe(400);
    expect((await response.toArray()).toString()).toBe('refused');
    expect((await results[0])?.error).toMatchObject({ message: 'refused' });

    const leaving = httpRequest(options);
    leaving.on('error', () => {});
    leaving.write(Buffer.alloc(50_000));
    await new Promise<void>((resolve) => {
      begun = resolve;
    });
    leaving.destroy();
    expect((await results[1])?.error).toMatchObject({ code: 'ECONNRESET' });
  } finally {
    server.close();
    server.closeAllConnections();
  }
});
