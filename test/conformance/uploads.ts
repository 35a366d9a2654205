// Objects uploaded in parts.
import type { Case, Step } from './case.ts';

const FIVE_MIB = Buffer.alloc(5 * 1024 * 1024, 'x');
const ETAG_OF_BAR = '"37b51d194a7513e45b56f6524f2d51f2"';

const begin: Step = { send: 'POST /{b}/big?uploads', status: 200, save: { upload: { element: 'UploadId' } } };
const part = (number: number, body: string | Buffer): Step => ({
  send: `PUT /{b}/big?partNumber=${number}&uploadId={upload}`,
  body,
  status: 200,
  save: { [`part${number}`]: { header: 'etag' } },
});
const named = (...numbers: readonly number[]) =>
  `<CompleteMultipartUpload>${numbers.map((n) => `<Part><PartNumber>${n}</PartNumber><ETag>{part${n}}</ETag></Part>`).join('')}</CompleteMultipartUpload>`;
const complete = (numbers: readonly number[], status: number, code?: string): Step => ({
  send: 'POST /{b}/big?uploadId={upload}',
  body: named(...numbers),
  status,
  ...(code === undefined ? {} : { code }),
});

export const UPLOADS: readonly Case[] = [
  {
    name: 'an upload of parts becomes an object, and again the same',
    steps: [
      begin,
      part(1, FIVE_MIB),
      part(2, 'the end'),
      { send: 'GET /{b}/big', status: 404, code: 'NoSuchKey' },
      { send: 'GET /{b}/big?uploadId={upload}', status: 200, elements: { PartNumber: ['1', '2'] } },
      complete([1, 2], 200),
      complete([1, 2], 200),
      { send: 'HEAD /{b}/big', status: 200, has: { etag: /-2"$/, 'content-length': String(FIVE_MIB.length + 7) } },
      { send: 'GET /{b}/big?partNumber=2', status: 206, text: 'the end', has: { 'x-amz-mp-parts-count': '2' } },
      { send: 'GET /{b}?uploads', status: 200, elements: { UploadId: [] } },
    ],
  },
  {
    name: 'wrong completes make nothing',
    steps: [
      begin,
      part(1, 'small'),
      part(2, 'end'),
      complete([1, 2], 400, 'EntityTooSmall'),
      complete([2, 1], 400, 'InvalidPartOrder'),
      { send: 'POST /{b}/big?uploadId={upload}', body: named(), status: 400, code: 'MalformedXML' },
      { send: 'POST /{b}/big?uploadId=none', body: named(1), status: 404, code: 'NoSuchUpload' },
      { send: 'DELETE /{b}/big?uploadId={upload}', status: 204 },
      { send: 'DELETE /{b}/big?uploadId={upload}', status: 404, code: 'NoSuchUpload' },
      { send: 'GET /{b}/big', status: 404, code: 'NoSuchKey' },
    ],
  },
  {
    name: 'a complete keeps to conditions on what it replaces',
    steps: [
      { send: 'PUT /{b}/big', body: 'bar', status: 200 },
      begin,
      part(1, 'x'),
      { ...complete([1], 412, 'PreconditionFailed'), headers: { 'if-none-match': '*' } },
      { ...complete([1], 412, 'PreconditionFailed'), headers: { 'if-match': '"ABC"' } },
      { send: 'GET /{b}/big', status: 200, text: 'bar' },
      { ...complete([1], 200), headers: { 'if-match': ETAG_OF_BAR } },
      { send: 'GET /{b}/big', status: 200, text: 'x' },
    ],
  },
  {
    name: 'pending uploads are listed with their names encoded when asked',
    steps: [
      { send: 'POST /{b}/a%2Bb?uploads', status: 200 },
      { send: 'GET /{b}?uploads&encoding-type=url', status: 200, elements: { Key: ['a%2Bb'] } },
      { send: 'GET /{b}?uploads', status: 200, elements: { Key: ['a+b'] } },
      { send: 'GET /{b}?uploads&prefix=z', status: 200, elements: { Key: [] } },
    ],
  },
  {
    name: 'a part named twice counts once, the last one',
    steps: [begin, part(1, 'x'), complete([1, 1], 200)],
    deviates: 'S3 has parts in ascending order, each once',
  },
];
