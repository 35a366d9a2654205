// The pump lets others run, whatever the socket takes.
import type { ServerResponse } from 'node:http';
import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { pumpBody } from '../../src/s3/body-pump.ts';

const CHUNK = Buffer.alloc(64 * 1024);
const CHUNKS = 512;

/** Takes every write at once, as a socket does whose peer is fast. */
function fastResponse(): { response: ServerResponse; received: () => number } {
  let bytes = 0;
  const sink = new Writable({
    highWaterMark: 1024,
    write(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      done();
    },
  });
  // Of a response the pump uses what every writable has, and whether the head is out.
  const response = Object.assign(sink, { headersSent: false }) as Writable & { headersSent: boolean };
  return { response: response as unknown as ServerResponse, received: () => bytes };
}

test('a client that takes everything at once does not starve the others', async () => {
  const { response, received } = fastResponse();
  let released = 0;
  const chunks = (async function* () {
    for (let index = 0; index < CHUNKS; index += 1) {
      yield {
        bytes: CHUNK,
        source: 'memory' as const,
        release: () => {
          released += 1;
        },
      };
    }
  })();
  let turns = 0;
  let pumping = true;
  const others = (): void => {
    turns += 1;
    if (pumping) setImmediate(others);
  };
  setImmediate(others);
  const begin = () => Object.assign(response, { headersSent: true });
  const sizeBytes = CHUNKS * CHUNK.length;
  const sent = await pumpBody({ chunks, sizeBytes }, response, begin, () => undefined, new AbortController().signal);
  pumping = false;
  expect([sent, received()]).toEqual([sizeBytes, sizeBytes]);
  expect(released).toBe(CHUNKS);
  expect(turns).toBeGreaterThanOrEqual(sizeBytes / (1024 * 1024));
});

test('what was fetched ahead is released too when the body goes no further', async () => {
  const { response } = fastResponse();
  const given: number[] = [];
  const released: number[] = [];
  const chunks = (async function* () {
    for (let index = 0; index < 4; index += 1) {
      given.push(index);
      yield { bytes: CHUNK, source: 'memory' as const, release: () => void released.push(index) };
    }
  })();
  const left = new AbortController();
  const begin = () => Object.assign(response, { headersSent: true });
  const sent = () => left.abort(new Error('The client left.'));
  const pumped = pumpBody({ chunks, sizeBytes: 4 * CHUNK.length }, response, begin, sent, left.signal);
  await expect(pumped).rejects.toThrow('The client left.');
  expect(given).toEqual([0, 1]);
  await expect.poll(() => [...released].sort()).toEqual([0, 1]);
});
