// Who may do what.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matchesGlob } from '../../../src/s3/auth/glob.ts';
import { type AccessRequest, type Action, authorise, isAllowed, type Rule } from '../../../src/s3/auth/policy.ts';
import type { Verdict } from '../../../src/s3/policy/evaluate.ts';

const ACTIONS: readonly Action[] = ['read', 'write', 'list', 'delete', 'admin'];

function allowed(
  identity: { account?: string; rules?: readonly Rule[] },
  request: { action?: Action; bucket?: string; key?: string; owner?: string; verdict?: Verdict },
): boolean {
  return isAllowed({
    identity: { account: identity.account, rules: identity.rules },
    action: request.action ?? 'read',
    bucket: request.bucket,
    key: request.key,
    bucketOwner: request.owner,
    verdict: request.verdict ?? 'silent',
  });
}

test('what is not allowed is AccessDenied', () => {
  const request: AccessRequest = {
    identity: { account: undefined, rules: [] },
    action: 'read',
    bucket: 'b',
    key: 'k',
    bucketOwner: undefined,
    verdict: 'silent',
  };
  expect(() => authorise(request)).toThrow(expect.objectContaining({ code: 'AccessDenied' }));
  expect(() => authorise({ ...request, identity: { account: 'ml', rules: undefined } })).not.toThrow();
});

describe('a key without rules', () => {
  const key = { account: 'ml' };

  test("may do everything in its account's buckets, and in those that nobody is known to own", () => {
    for (const action of ACTIONS) {
      expect(allowed(key, { action, bucket: 'models', key: 'a', owner: 'ml' }), action).toBe(true);
      expect(allowed(key, { action, bucket: 'models' }), action).toBe(true);
      expect(allowed(key, { action }), action).toBe(true);
    }
  });

  test("may do nothing in another account's bucket", () => {
    for (const action of ACTIONS) {
      expect(allowed(key, { action, bucket: 'models', key: 'a', owner: 'finance' }), action).toBe(false);
      expect(allowed(key, { action, bucket: 'models', owner: 'finance' }), action).toBe(false);
    }
  });
});

describe('a key with rules', () => {
  test('may do what a rule allows and nothing else', () => {
    const key = { account: 'ml', rules: [{ allow: ['read', 'list'], buckets: ['models/*'] }] as const };
    expect(ACTIONS.filter((action) => allowed(key, { action, bucket: 'models', key: 'a/b', owner: 'ml' }))).toEqual([
      'read',
      'list',
    ]);
    expect(ACTIONS.filter((action) => allowed(key, { action, bucket: 'other', key: 'a', owner: 'ml' }))).toEqual([]);
    expect(allowed(key, { action: 'list', bucket: 'models' })).toBe(true);
    expect(allowed(key, { action: 'list' })).toBe(true);
  });

  test("does not reach into another account's bucket by them", () => {
    const key = { account: 'ml', rules: [{ allow: ACTIONS, buckets: ['*'] }] };
    expect(allowed(key, { bucket: 'models', key: 'a', owner: 'finance' })).toBe(false);
    expect(allowed(key, { bucket: 'models', key: 'a', owner: 'ml' })).toBe(true);
  });

  test('with an empty list of rules may do nothing', () => {
    for (const action of ACTIONS) {
      expect(allowed({ account: 'ml', rules: [] }, { action, bucket: 'models', owner: 'ml' })).toBe(false);
      expect(allowed({ account: 'ml', rules: [] }, { action })).toBe(false);
    }
  });

  test('for a prefix reads and lists beneath it only, and may ask whether the bucket is there', () => {
    const key = { account: 'ml', rules: [{ allow: ACTIONS, buckets: ['models/prod/*'] }] };
    expect(allowed(key, { bucket: 'models', key: 'prod/a' })).toBe(true);
    expect(allowed(key, { bucket: 'models', key: 'staging/a' })).toBe(false);
    expect(allowed(key, { action: 'list', bucket: 'models', key: 'prod/' })).toBe(true);
    expect(allowed(key, { action: 'list', bucket: 'models', key: 'prod/a' })).toBe(true);
    for (const prefix of ['', 'p', 'prod', 'staging/']) {
      expect(allowed(key, { action: 'list', bucket: 'models', key: prefix }), prefix).toBe(false);
    }
    expect(allowed(key, { action: 'read', bucket: 'models' })).toBe(true);
    for (const action of ['write', 'delete', 'admin'] as const) {
      expect(allowed(key, { action, bucket: 'models' }), action).toBe(false);
    }
  });

  test('may list a prefix only when the rule covers every key that begins with it', () => {
    const glob = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*', '?'), maxLength: 5 });
    const short = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 4 });
    fc.assert(
      fc.property(glob, short, short, (pattern, prefix, rest) => {
        const identity = {
          account: 'ml',
          rules: [{ allow: ['list', 'read'], buckets: [`models/${pattern}`] }] as const,
        };
        if (!allowed(identity, { action: 'list', bucket: 'models', key: prefix })) return;
        expect(allowed(identity, { action: 'read', bucket: 'models', key: prefix + rest })).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});

test('nobody may do what the anonymous rules allow, whoever owns the bucket', () => {
  const nobody = { rules: [{ allow: ['read'], buckets: ['public', 'site/www/*'] }] as const };
  expect(allowed(nobody, { bucket: 'public', key: 'a', owner: 'ml' })).toBe(true);
  expect(allowed(nobody, { bucket: 'site', key: 'www/index.html', owner: 'ml' })).toBe(true);
  expect(allowed(nobody, { bucket: 'site', key: 'private', owner: 'ml' })).toBe(false);
  expect(allowed(nobody, { action: 'write', bucket: 'public', key: 'a', owner: 'ml' })).toBe(false);
  expect(allowed({ rules: [] }, { bucket: 'public', key: 'a' })).toBe(false);
  expect(allowed({}, { bucket: 'public', key: 'a' })).toBe(false);
});

describe('globs', () => {
  test('match as a regular expression of the same meaning does', () => {
    const unit = fc.constantFrom('a', 'b', '/', '*', '?', '.', '\n', '😀');
    const pattern = fc.string({ unit, maxLength: 8 });
    const text = fc.string({ unit, maxLength: 8 });
    fc.assert(
      fc.property(pattern, text, (glob, value) => {
        const source = [...glob].map(
          (character) => ({ '*': '[^]*', '?': '[^]' })[character] ?? `\\u{${code(character)}}`,
        );
        expect(matchesGlob(glob, value)).toBe(new RegExp(`^${source.join('')}$`, 'u').test(value));
      }),
      { numRuns: 2000 },
    );
  });

  test('take time that grows with pattern and text, not with their combinations', () => {
    expect(matchesGlob(`${'*a'.repeat(500)}b`, 'a'.repeat(1024))).toBe(false);
  });

  function code(character: string): string {
    return (character.codePointAt(0) ?? 0).toString(16);
  }
});
