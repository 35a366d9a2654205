import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeFrame, type Frame, FrameReader, HEAD_BYTES } from '../../../src/mesh/exchange/frames.ts';
import { pourInto } from '../../support/received-bytes.ts';

interface Told {
  readonly frames: Frame[];
  readonly bytes: Buffer[];
}

function reader(maxBlocks = 64): { reader: FrameReader; told: Told } {
  const told: Told = { frames: [], bytes: [] };
  const memory = Buffer.alloc(97);
  const target = {
    frame: (frame: Frame) => {
      told.frames.push(frame);
    },
    space: () => memory,
    taken: (bytes: number) => {
      told.bytes.push(Buffer.from(memory.subarray(0, bytes)));
    },
  };
  return { reader: new FrameReader(target, { maxBlocks }), told };
}

const bytesOf = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((some) => Buffer.from(some));
const number = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const payload = fc.integer({ min: 1, max: 500 });

const frames = fc.oneof(
  fc.constant<Frame>({ kind: 'waiting' }),
  fc
    .integer({ min: 1, max: 64 })
    .chain((blocks) => bytesOf(32 * blocks).map((bytes): Frame => ({ kind: 'digests', bytes }))),
  fc.record({ block: number, lengthBytes: payload }).map((frame): Frame => ({ kind: 'run', ...frame })),
  fc
    .record({ block: number, lengthBytes: payload, digest: bytesOf(32), signature: bytesOf(64) })
    .map((frame): Frame => ({ kind: 'signed', ...frame })),
);

test('what was sent is read, however the wire has cut it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(frames),
      fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1 }),
      async (sent, cuts) => {
        const wire = Buffer.concat(
          sent.flatMap((frame, index) => {
            const follows =
              frame.kind === 'run' || frame.kind === 'signed' ? Buffer.alloc(frame.lengthBytes, index) : [];
            return [encodeFrame(frame), Buffer.from(follows)];
          }),
        );
        const { reader: reads, told } = reader();
        for (let at = 0, cut = 0; at < wire.length; cut += 1) {
          const length = cuts[cut % cuts.length] ?? 1;
          await pourInto(reads, wire.subarray(at, at + length));
          at += length;
        }
        expect(told.frames).toEqual(sent);
        const payloads = sent.flatMap((frame, index) =>
          frame.kind === 'run' || frame.kind === 'signed' ? [Buffer.alloc(frame.lengthBytes, index)] : [],
        );
        expect(Buffer.concat(told.bytes).equals(Buffer.concat(payloads))).toBe(true);
      },
    ),
  );
});

test('a kind of frame that nobody knows is refused', async () => {
  for (const kind of [0, 5, 4_294_967_295]) {
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUInt32BE(kind);
    await expect(pourInto(reader().reader, head)).rejects.toMatchObject({ code: 'Malformed' });
  }
});

test('more digests than the piece has blocks are refused before they are read', async () => {
  const frame = encodeFrame({ kind: 'digests', bytes: Buffer.alloc(32 * 65) });
  await expect(pourInto(reader(64).reader, frame.subarray(0, HEAD_BYTES))).rejects.toMatchObject({ code: 'Malformed' });
});
