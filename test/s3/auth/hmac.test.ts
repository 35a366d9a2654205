// The HMAC that signatures are checked with is the one everybody else has.
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hmacHex, hmacKey, sameSignature } from '../../../src/s3/auth/hmac.ts';

const latin1 = (maxLength: number) =>
  fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes).toString('latin1'));

test('any text under any key has the HMAC that node gives it, whatever was signed before', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(latin1(3000), { maxLength: 4 }), (secret, texts) => {
      const key = hmacKey(secret);
      for (const text of texts) {
        expect(hmacHex(key, text)).toBe(createHmac('sha256', secret).update(text, 'latin1').digest('hex'));
      }
    }),
  );
});

test.each([0, 3, 28, 64, 65])('signatures of %i characters are the same when each of their characters is', (length) => {
  const signature = fc.string({ minLength: length, maxLength: length, unit: fc.constantFrom('0', 'f') });
  fc.assert(
    fc.property(signature, signature, (one, other) => {
      expect(sameSignature(one, one)).toBe(true);
      expect(sameSignature(one, other)).toBe(one === other);
      expect(sameSignature(one, `${other}0`)).toBe(false);
    }),
  );
});
