// Properties of posted forms: however a network cuts them they arrive whole, and damage is told, never stored.

import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { S3Error } from '../../../src/s3/errors.ts';
import { openFormFile } from '../../../src/s3/post/form-file.ts';
import { formBoundary, readFormHead } from '../../../src/s3/post/multipart-form.ts';
import { type FormParts, formRequest } from '../../support/posted-form.ts';

const LIMITS = { maxFormBytes: 20_000, maxFormFields: 50 };

/** Names as forms have them, distinct in lower case. */
const fields = fc.uniqueArray(
  fc.tuple(
    fc.string({ unit: fc.constantFrom('a', 'B', 'c', '-', '_'), minLength: 1, maxLength: 8 }),
    fc.oneof(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.constantFrom('\r\n', '--', '\r\n------boundary', '')),
  ),
  { maxLength: 6, selector: ([name]) => name.toLowerCase() },
);
const END = '\r\n------boundary-of-a-test';
/** Contents that look like what ends them, and are not. */
const content = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 500 }).map((bytes) => Buffer.from(bytes)),
      fc.constantFrom('\r\n', '\r\n--', END.slice(0, -1), '--\r\n').map((text) => Buffer.from(text)),
    ),
    { maxLength: 8 },
  )
  .map((parts) => Buffer.concat(parts))
  .filter((bytes) => !bytes.includes(END));
const cuts = fc.array(fc.nat(8_000), { maxLength: 40 });
/** Small forms are read whole, others stream. */
const wholeFormBytes = fc.constantFrom(0, 100_000);

async function readForm(parts: FormParts, places: readonly number[], whole: number, damaged = (body: Buffer) => body) {
  const { headers = {}, body = '' } = formRequest('/b', parts);
  const bytes = damaged(Buffer.from(body));
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((one, other) => one - other);
  const pieces = [...ends, bytes.length].map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
  const request = Readable.from(pieces, { objectMode: false }) as unknown as IncomingMessage;
  const head = await readFormHead(request, formBoundary(headers['content-type']), LIMITS);
  const file = await openFormFile(request, head, bytes.length, { wholeFormBytes: whole });
  return { head, sizeBytes: file.sizeBytes, content: await buffer(file.stream) };
}

test('any split of a form into what a socket delivers gives the same fields and the same file', async () => {
  await fc.assert(
    fc.asyncProperty(fields, content, cuts, wholeFormBytes, async (sent, file, places, whole) => {
      const read = await readForm({ fields: sent, file: { name: 'f', content: file } }, places, whole);
      expect([...read.head.fields]).toEqual(sent.map(([name, value]) => [name.toLowerCase(), value]));
      expect(read.sizeBytes).toBe(file.length);
      expect(read.content.equals(file)).toBe(true);
    }),
  );
});

test('a form that is cut short anywhere is refused', async () => {
  await fc.assert(
    fc.asyncProperty(fields, content, cuts, wholeFormBytes, fc.nat(), async (sent, file, places, whole, at) => {
      const short = (body: Buffer) => body.subarray(0, at % (body.length - 4));
      const outcome = readForm({ fields: sent, file: { name: 'f', content: file } }, places, whole, short);
      await expect(outcome).rejects.toBeInstanceOf(S3Error);
    }),
  );
});
