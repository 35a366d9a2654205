// What gateways tell each other of an origin's answer: all of it, and nothing that no origin could have said.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ObjectInfo } from '../../backends/backend.ts';
import { decodeAnswer, encodeAnswer } from '../../src/objects/name-answer.ts';

const text = fc.string({ maxLength: 50 });
const optional = fc.option(text, { nil: undefined });
const info: fc.Arbitrary<ObjectInfo> = fc.record(
  {
    key: text,
    sizeBytes: fc.nat(),
    etag: fc.string({ minLength: 1, maxLength: 50 }),
    lastModified: fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }),
    storageClass: text,
    headers: fc.record({ contentType: optional, cacheControl: optional, expires: optional }),
    metadata: fc.dictionary(text, text),
    versionId: text,
    checksum: fc.record({
      algorithm: fc.constant('CRC32' as const),
      value: text,
      type: fc.constant('COMPOSITE' as const),
    }),
    partCount: fc.nat(),
    tagCount: fc.nat(),
    identity: fc.constantFrom('strong' as const, 'none' as const),
  },
  { requiredKeys: ['key', 'sizeBytes', 'etag', 'lastModified', 'headers', 'metadata', 'identity'] },
);

test('an answer arrives as it was given', () => {
  fc.assert(
    fc.property(info, fc.boolean(), (given, complete) => {
      const sent = JSON.stringify(encodeAnswer({ kind: 'known', info: given, complete, askedAtMs: 1 }));
      const read = decodeAnswer(JSON.parse(sent), 2);
      // JSON leaves out what is undefined.
      expect(read).toEqual({ kind: 'known', info: given, complete, askedAtMs: 2 });
    }),
  );
  expect(decodeAnswer(encodeAnswer({ kind: 'missing', askedAtMs: 1 }), 2)).toEqual({ kind: 'missing', askedAtMs: 2 });
});

test('what no origin could have said is not believed, and what it does not say is left out', () => {
  const good = { key: 'k', sizeBytes: 1, etag: 'e', lastModified: new Date(0).toISOString() };
  const rest = { headers: {}, metadata: [], identity: 'strong' };
  const decode = (value: unknown) => decodeAnswer({ kind: 'known', value, complete: true }, 0);
  expect(decode({ ...good, ...rest, path: '/etc/passwd' })).toMatchObject({ kind: 'known', info: { etag: 'e' } });
  expect(decode({ ...good, ...rest, path: '/etc/passwd' })).not.toHaveProperty('info.path');
  const bad = [
    { sizeBytes: -1 },
    { sizeBytes: 1.5 },
    { etag: '' },
    { lastModified: 'yesterday' },
    { headers: { contentType: 7 } },
    { metadata: {} },
    { metadata: [['name', 1]] },
    { identity: 'weak' },
    { metadata: [['long', 'x'.repeat(20_000)]] },
  ];
  for (const wrong of bad) expect(decode({ ...good, ...rest, ...wrong })).toBeUndefined();
  for (const value of [undefined, null, 'text', [], {}]) expect(decode(value)).toBeUndefined();
});
