// User metadata on its way to an S3 origin and back.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeMetadata, encodeMetadata } from '../../backends/s3/metadata.ts';

test('any value travels as printable ASCII without outer white space and comes back as it was', () => {
  const value = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.string(),
    fc.constantFrom('', ' ', ' a', '=?UTF-8?B?eA==?=', '=?', 'a=?b?=', 'ü'),
  );
  fc.assert(
    fc.property(value, (text) => {
      const sent = encodeMetadata({ name: text }).name ?? '';
      expect(sent).toMatch(/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/);
      expect(decodeMetadata({ name: sent })).toEqual({ name: text });
    }),
  );
});

test('what is plain ASCII travels as it is', () => {
  expect(encodeMetadata({ plain: 'a b  c; d="e"' })).toEqual({ plain: 'a b  c; d="e"' });
});

test("other writers' encoded words are read, in both encodings and when split, and raw UTF-8 bytes as well", () => {
  const raw = Buffer.from('grüße').toString('latin1');
  const read = decodeMetadata({
    Q: '=?UTF-8?Q?gr=C3=BC=C3=9Fe_you?=',
    split: '=?UTF-8?B?Z3LDvA==?= =?UTF-8?B?w59l?=',
    latin: '=?ISO-8859-1?Q?gr=FC=DFe?=',
    raw,
    unknown: '=?KOI8-R?B?eA==?=',
  });
  expect(read).toEqual({ q: 'grüße you', split: 'grüße', latin: 'grüße', raw: 'grüße', unknown: '=?KOI8-R?B?eA==?=' });
});
