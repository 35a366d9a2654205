// The promise of a read's body: exactly the bytes, or an error.
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BackendError } from '../../../backends/backend.ts';
import { exactBody } from '../../../backends/net/exact-body.ts';
import { settle } from './fake-clock.ts';

const { signal } = new AbortController();

test('chunks of any sizes arrive as they were sent', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 5_000 }), { maxLength: 20 }), async (chunks) => {
      const sent = Buffer.concat(chunks);
      const source = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
      expect((await buffer(exactBody(source, sent.length, signal))).equals(sent)).toBe(true);
    }),
  );
});

test('one byte fewer or one byte more than promised is an error, and not a byte too many is given out', async () => {
  for (const promised of [9, 11]) {
    const body = exactBody(Readable.from([Buffer.alloc(5), Buffer.alloc(5)]), promised, signal);
    let received = 0;
    body.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    const error = await new Promise((resolve) => body.once('error', resolve));
    expect(error).toBeInstanceOf(BackendError);
    expect(error).toMatchObject({ code: 'Unavailable' });
    expect(received).toBeLessThanOrEqual(promised);
  }
});

test('a source closed without an end is an error', async () => {
  const source = new PassThrough();
  const body = exactBody(source, 10, signal);
  source.write('12345');
  source.destroy();
  await expect(buffer(body)).rejects.toMatchObject({ code: 'Unavailable' });
});

test("a source's error is told as the origin's", async () => {
  const source = new PassThrough();
  const body = exactBody(source, 10, signal);
  source.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
  await expect(buffer(body)).rejects.toMatchObject({ code: 'Unavailable', nativeCode: 'ECONNRESET' });
});

test('destroying the body destroys its source; an abort ends both with its reason', async () => {
  const source = new PassThrough();
  exactBody(source, 10, signal).destroy();
  await settle();
  expect(source.destroyed).toBe(true);
  const leaving = new AbortController();
  const other = new PassThrough();
  const body = exactBody(other, 10, leaving.signal);
  const reason = new Error('left');
  leaving.abort(reason);
  await expect(buffer(body)).rejects.toBe(reason);
  expect(other.destroyed).toBe(true);
});

test('nothing is taken from the source beyond what its reader has room for', async () => {
  let made = 0;
  const source = new Readable({
    read() {
      made += 1;
      this.push(Buffer.alloc(16_384));
    },
  });
  const body = exactBody(source, 1e12, signal);
  body.read(0);
  await settle();
  await settle();
  expect(made).toBeLessThan(20);
  body.destroy();
});

test('an error before anyone reads does not end the process, and is found by who reads later', async () => {
  const source = new PassThrough();
  const body = exactBody(source, 10, signal);
  source.destroy(new Error('early'));
  await settle();
  await expect(buffer(body)).rejects.toMatchObject({ code: 'Unavailable' });
});
