// One bucket under random sequences of requests agrees with a map.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeKey } from '../../src/s3/target.ts';
import { TestGateway } from '../support/s3-gateway.ts';
import { type RawAnswer, sendRaw } from '../support/signed-request.ts';

interface ModelObject {
  readonly body: string;
  readonly note: string;
}

interface ModelUpload {
  readonly key: string;
  readonly note: string;
  readonly parts: Map<number, string>;
}

/** What the bucket should hold. Uploads are named by when they were begun. */
interface Model {
  readonly objects: Map<string, ModelObject>;
  readonly uploads: Map<number, ModelUpload>;
  begun: number;
}

/** The gateway, and what it named uploads and parts. */
interface Real {
  readonly bucket: string;
  readonly uploadIds: Map<number, string>;
  readonly etags: Map<string, string>;
}

type Step = fc.AsyncCommand<Model, Real>;

let gateway: TestGateway;
let buckets = 0;

beforeAll(async () => {
  gateway = await TestGateway.start();
});
afterAll(() => gateway.close());

function send(method: string, path: string, body = '', headers: Record<string, string> = {}): Promise<RawAnswer> {
  return sendRaw(gateway.port, { method, path, body, headers });
}

function pathOf(real: Real, key: string): string {
  return `/${real.bucket}/${encodeKey(key)}`;
}

/** A step that always may be taken. */
function step(
  name: string,
  run: (model: Model, real: Real) => Promise<void>,
  check: (model: Model) => boolean = () => true,
): Step {
  return { toString: () => name, check: (model) => check(model), run };
}

const put = (key: string, body: string, note: string): Step =>
  step(`put(${key}, ${body})`, async (model, real) => {
    expect((await send('PUT', pathOf(real, key), body, { 'x-amz-meta-note': note })).status).toBe(200);
    model.objects.set(key, { body, note });
  });

const putOnce = (key: string, body: string): Step =>
  step(`putOnce(${key}, ${body})`, async (model, real) => {
    const answer = await send('PUT', pathOf(real, key), body, { 'if-none-match': '*' });
    expect(answer.status).toBe(model.objects.has(key) ? 412 : 200);
    if (!model.objects.has(key)) model.objects.set(key, { body, note: '' });
  });

const get = (key: string): Step =>
  step(`get(${key})`, async (model, real) => {
    const answer = await send('GET', pathOf(real, key));
    const object = model.objects.get(key);
    expect(answer.status).toBe(object === undefined ? 404 : 200);
    if (object === undefined) return;
    expect([answer.text, answer.headers['x-amz-meta-note'] ?? '']).toEqual([object.body, object.note]);
  });

const getRange = (key: string, start: number): Step =>
  step(`getRange(${key}, ${start})`, async (model, real) => {
    const answer = await send('GET', pathOf(real, key), '', { range: `bytes=${start}-` });
    const object = model.objects.get(key);
    if (object === undefined) expect(answer.status).toBe(404);
    else if (start >= object.body.length) expect(answer.status).toBe(416);
    else expect([answer.status, answer.text]).toEqual([206, object.body.slice(start)]);
  });

const head = (key: string): Step =>
  step(`head(${key})`, async (model, real) => {
    const answer = await send('HEAD', pathOf(real, key));
    const length = model.objects.get(key)?.body.length;
    expect([answer.status, answer.headers['content-length']]).toEqual(
      length === undefined ? [404, undefined] : [200, String(length)],
    );
  });

const remove = (key: string): Step =>
  step(`delete(${key})`, async (model, real) => {
    expect((await send('DELETE', pathOf(real, key))).status).toBe(204);
    model.objects.delete(key);
  });

const copy = (source: string, target: string): Step =>
  step(`copy(${source}, ${target})`, async (model, real) => {
    const headers = { 'x-amz-copy-source': pathOf(real, source) };
    const answer = await send('PUT', pathOf(real, target), '', headers);
    const object = model.objects.get(source);
    if (source === target) expect(answer.status).toBe(400);
    else if (object === undefined) expect(answer.status).toBe(404);
    else {
      expect(answer.status).toBe(200);
      model.objects.set(target, object);
    }
  });

const list = (prefix: string, pageSize: number): Step =>
  step(`list(${prefix}, ${pageSize})`, async (model, real) => {
    const found: string[] = [];
    let token = '';
    do {
      const query = `list-type=2&encoding-type=url&max-keys=${pageSize}&prefix=${encodeURIComponent(prefix)}`;
      const page = await send(
        'GET',
        `/${real.bucket}?${query}${token && `&continuation-token=${encodeURIComponent(token)}`}`,
      );
      found.push(...[...page.text.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) => decodeURIComponent(key ?? '')));
      token = page.element('NextContinuationToken') ?? '';
    } while (token !== '');
    const expected = [...model.objects.keys()].filter((key) => key.startsWith(prefix));
    expect(found).toEqual(expected.sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other))));
  });

const begin = (key: string, note: string): Step =>
  step(`begin(${key})`, async (model, real) => {
    const answer = await send('POST', `${pathOf(real, key)}?uploads`, '', { 'x-amz-meta-note': note });
    model.begun += 1;
    model.uploads.set(model.begun, { key, note, parts: new Map() });
    real.uploadIds.set(model.begun, answer.element('UploadId') ?? '');
  });

/** A step on one of the uploads that are pending. */
function onUpload(
  name: string,
  pick: number,
  run: (upload: ModelUpload, id: number, model: Model, real: Real) => Promise<void>,
): Step {
  return step(
    `${name}(${pick})`,
    async (model, real) => {
      const [id, upload] = [...model.uploads][pick % model.uploads.size] ?? [];
      if (id !== undefined && upload !== undefined) await run(upload, id, model, real);
    },
    (model) => model.uploads.size > 0,
  );
}

const part = (pick: number, partNumber: number, body: string): Step =>
  onUpload(`part ${partNumber}`, pick, async (upload, id, _model, real) => {
    const query = `partNumber=${partNumber}&uploadId=${real.uploadIds.get(id)}`;
    const answer = await send('PUT', `${pathOf(real, upload.key)}?${query}`, body);
    expect(answer.status).toBe(200);
    upload.parts.set(partNumber, body);
    real.etags.set(`${id}/${partNumber}`, answer.headers.etag ?? '');
  });

const complete = (pick: number): Step =>
  onUpload('complete', pick, async (upload, id, model, real) => {
    const numbers = [...upload.parts.keys()].sort((one, other) => one - other);
    const parts = numbers.map(
      (number) => `<Part><PartNumber>${number}</PartNumber><ETag>${real.etags.get(`${id}/${number}`)}</ETag></Part>`,
    );
    const body = `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`;
    const answer = await send('POST', `${pathOf(real, upload.key)}?uploadId=${real.uploadIds.get(id)}`, body);
    // Every part here is small, so that only one alone may be an object.
    const [only] = upload.parts.values();
    if (only === undefined) expect(answer.element('Code')).toBe('MalformedXML');
    else if (numbers.length > 1) expect(answer.element('Code')).toBe('EntityTooSmall');
    else {
      expect(answer.status).toBe(200);
      model.objects.set(upload.key, { body: only, note: upload.note });
      model.uploads.delete(id);
    }
  });

const abort = (pick: number): Step =>
  onUpload('abort', pick, async (upload, id, model, real) => {
    const answer = await send('DELETE', `${pathOf(real, upload.key)}?uploadId=${real.uploadIds.get(id)}`);
    expect(answer.status).toBe(204);
    model.uploads.delete(id);
  });

const keys = fc.constantFrom('a', 'a/', 'a/b+ c', '\u{1F600}', '..', 'é?x=1&y#z');
const bodies = fc.string({ maxLength: 40, unit: fc.constantFrom('x', 'y', '0') });
const notes = fc.constantFrom('one', 'two');
const picks = fc.nat(5);

test('a bucket under any sequence of requests agrees with a map', async () => {
  const commands = fc.commands(
    [
      fc.tuple(keys, bodies, notes).map((args) => put(...args)),
      fc.tuple(keys, bodies).map((args) => putOnce(...args)),
      keys.map(get),
      fc.tuple(keys, fc.nat(45)).map((args) => getRange(...args)),
      keys.map(head),
      keys.map(remove),
      fc.tuple(keys, keys).map((args) => copy(...args)),
      fc.tuple(fc.constantFrom('', 'a', 'a/', 'é'), fc.integer({ min: 1, max: 4 })).map((args) => list(...args)),
      fc.tuple(keys, notes).map((args) => begin(...args)),
      fc.tuple(picks, fc.integer({ min: 1, max: 3 }), bodies).map((args) => part(...args)),
      picks.map(complete),
      picks.map(abort),
    ],
    { maxCommands: 40, size: '+1' },
  );
  await fc.assert(
    fc.asyncProperty(commands, async (steps) => {
      buckets += 1;
      const bucket = `model-${buckets}`;
      expect((await send('PUT', `/${bucket}`)).status).toBe(200);
      await fc.asyncModelRun(
        () => ({
          model: { objects: new Map(), uploads: new Map(), begun: 0 },
          real: { bucket, uploadIds: new Map(), etags: new Map() },
        }),
        steps,
      );
    }),
    { numRuns: 40 },
  );
}, 60_000);
