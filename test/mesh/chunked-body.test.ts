// Bodies in chunks as they come off a connection, whichever way their bytes are handed over.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ChunkedBody } from '../../src/mesh/transport/chunked-body.ts';
import type { ByteTarget } from '../../src/mesh/transport.ts';

/** Gives memory of these sizes in turn; 0: there is none for the moment. */
class Collecting implements ByteTarget {
  readonly bytes: Buffer[] = [];
  readonly #sizes: readonly number[];
  #given = 0;
  #memory = Buffer.alloc(0);

  constructor(sizes: readonly number[]) {
    this.#sizes = sizes;
  }

  space(): Uint8Array | Promise<void> {
    const size = this.#sizes[this.#given % this.#sizes.length] ?? 0;
    if (size === 0) {
      this.#given += 1;
      return Promise.resolve();
    }
    this.#memory = Buffer.alloc(size);
    return this.#memory;
  }

  taken(bytes: number): void {
    this.#given += 1;
    this.bytes.push(this.#memory.subarray(0, bytes));
  }
}

function chunked(parts: readonly Uint8Array[]): Buffer {
  const chunk = (part: Uint8Array) => [Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')];
  return Buffer.concat([...parts.flatMap(chunk), Buffer.from('0\r\n')]);
}

/** As a connection does it: straight into the target's memory where it may, as much as it likes. */
async function receive(body: ChunkedBody, wire: Buffer, reads: readonly number[]) {
  let at = 0;
  for (let read = 0; !body.ended && at < wire.length; read += 1) {
    const size = reads[read % reads.length] ?? 1;
    const straight = body.straight();
    while (body.isFull) await Promise.resolve();
    if (straight === undefined) at += body.push(wire.subarray(at, at + size));
    else {
      const came = wire.copy(straight, 0, at, at + Math.min(size, straight.length));
      body.came(came);
      at += came;
    }
  }
  return at;
}

test('what was sent comes, and no byte beyond its end is taken, however the wire has cut it', async () => {
  const sizes = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 20_000 })), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 12_000 }), { maxLength: 6 }),
      sizes.filter((some) => some.some((size) => size > 0)),
      fc.array(fc.integer({ min: 1, max: 16_384 }), { minLength: 1, maxLength: 5 }),
      async (lengths, spaces, reads) => {
        const parts = lengths.map((length, index) => Buffer.alloc(length, index + 1));
        const target = new Collecting(spaces);
        const body = new ChunkedBody(target, { room: () => undefined, failed: () => undefined });
        const wire = Buffer.concat([chunked(parts), Buffer.from('\r\nHTTP/1.1 200')]);
        const taken = await receive(body, wire, reads);
        expect(Buffer.concat(target.bytes).equals(Buffer.concat(parts))).toBe(true);
        expect(wire.subarray(taken).toString()).toBe('\r\nHTTP/1.1 200');
      },
    ),
  );
});

test('whoever waits for room hears when there is some, and when there never will be', async () => {
  const heard: unknown[] = [];
  const events = { room: () => heard.push('room'), failed: (error: unknown) => heard.push(error) };
  const full = [Promise.resolve(), Promise.reject(new Error('gone'))];
  const body = new ChunkedBody({ space: () => full.shift() ?? Buffer.alloc(1), taken: () => undefined }, events);
  const wire = Buffer.from('3\r\nabc');
  expect([body.push(wire), body.isFull]).toEqual([3, true]);
  await Promise.resolve();
  expect([heard, body.isFull]).toEqual([['room'], false]);
  expect([body.push(wire.subarray(3)), body.isFull]).toEqual([0, true]);
  await Promise.resolve();
  expect([heard, body.isFull]).toEqual([['room', new Error('gone')], true]);
});

test.each(['\r\n', 'x\r\n', '-1\r\n', '5;name=value\r\n', '123456789\r\n', '1\n', '1\r\r', '1\r\nab', '1\r\na\r\r'])(
  'what is not chunked is refused: %j',
  (wire) => {
    const body = new ChunkedBody(new Collecting([100]), { room: () => undefined, failed: () => undefined });
    expect(() => body.push(Buffer.from(wire))).toThrow('not chunked');
  },
);
