// Properties of chunked bodies: however a network cuts them they arrive whole, and no damage passes.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cut, framed, outcome, STREAMING, upload } from './upload.ts';

const mode = fc.constantFrom(...STREAMING);
/** Chunks as a signer may send them: only the last is small. */
const chunks = fc
  .tuple(
    fc.array(fc.tuple(fc.integer({ min: 8192, max: 20_000 }), fc.nat(255)), { maxLength: 3 }),
    fc.uint8Array({ minLength: 1, maxLength: 300 }),
  )
  .map(([large, small]) => [...large.map(([size, fill]) => Buffer.alloc(size, fill)), Buffer.from(small)]);
const cuts = fc.array(fc.nat(70_000), { maxLength: 60 });

test('any split of a chunked body into what a socket delivers gives the same bytes', async () => {
  await fc.assert(
    fc.asyncProperty(mode, chunks, cuts, async (streaming, sent, places) => {
      const { headers, wire } = framed({ mode: streaming, chunks: sent });
      const { error, given } = await outcome(upload(headers, cut(wire, places)));
      expect(error).toBeUndefined();
      expect(given.equals(Buffer.concat(sent))).toBe(true);
    }),
  );
});

test('a chunked body delivered byte by byte arrives whole', async () => {
  for (const streaming of STREAMING) {
    const { headers, wire } = framed({ mode: streaming, chunks: [Buffer.alloc(8192, 'a'), Buffer.from('end')] });
    const { error, given } = await outcome(
      upload(
        headers,
        Array.from(wire, (byte) => Buffer.from([byte])),
      ),
    );
    expect(error).toBeUndefined();
    expect(given).toHaveLength(8195);
  }
});

test('a damaged byte anywhere in the data or in a signature is refused, its last byte never given out', async () => {
  await fc.assert(
    fc.asyncProperty(
      mode,
      chunks,
      cuts,
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      async (streaming, sent, places, at, flip) => {
        const { headers, wire } = framed({ mode: streaming, chunks: sent });
        const place = at % wire.length;
        wire.writeUInt8(wire.readUInt8(place) ^ flip, place);
        const { error, given } = await outcome(upload(headers, cut(wire, places)));
        const whole = Buffer.concat(sent);
        if (error !== undefined) {
          expect(error.name).toBe('S3Error');
          expect(given.length).toBeLessThan(whole.length);
        } else {
          // Only where the framing itself does not care: a digit's or a trailer's case, blanks at a trailer's ends.
          expect(given.equals(whole)).toBe(true);
          expect(isInsignificant(wire, place, flip)).toBe(true);
        }
      },
    ),
    { numRuns: 400 },
  );
});

test('every single byte of a small signed body with a signed trailer counts', async () => {
  const whole = Buffer.from('hello world');
  const { headers, wire } = framed({ mode: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER', chunks: [whole] });
  for (let place = 0; place < wire.length; place += 1) {
    const damaged = Buffer.from(wire);
    damaged.writeUInt8(damaged.readUInt8(place) ^ 1, place);
    const { error, given } = await outcome(upload(headers, [damaged]));
    expect(error?.name, `byte ${place}`).toBe('S3Error');
    expect(given.length).toBeLessThan(whole.length);
  }
});

test('a body cut short anywhere is refused, its last byte never given out', async () => {
  await fc.assert(
    fc.asyncProperty(mode, chunks, fc.nat(), async (streaming, sent, at) => {
      const { headers, wire } = framed({ mode: streaming, chunks: sent });
      const { error, given } = await outcome(upload(headers, [wire.subarray(0, at % wire.length)]));
      expect(error?.code).toBe('IncompleteBody');
      expect(given.length).toBeLessThan(Buffer.concat(sent).length);
    }),
  );
});

function isInsignificant(wire: Buffer, place: number, flip: number): boolean {
  const letter = /[a-zA-Z]/.test(String.fromCharCode(wire.readUInt8(place)));
  const blank = [0x20, 0x09].includes(wire.readUInt8(place));
  return (letter && flip === 0x20) || blank;
}
