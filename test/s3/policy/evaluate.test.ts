// What a policy says of a request.
import { describe, expect, test } from 'vitest';
import { parseBucketPolicy } from '../../../src/s3/policy/bucket-policy.ts';
import { evaluate, isPublic, type PolicyRequest } from '../../../src/s3/policy/evaluate.ts';

const ALLOW = { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::models/*' };
const DENY = { ...ALLOW, Effect: 'Deny' };

function policy(...statements: object[]) {
  return parseBucketPolicy(JSON.stringify({ Statement: statements }), 'models');
}

interface Asked extends Partial<Omit<PolicyRequest, 'valueAt'>> {
  readonly values?: Readonly<Record<string, string>>;
}

function verdict(statements: object[], { values = {}, ...asked }: Asked = {}) {
  return evaluate(policy(...statements), {
    principal: { account: 'ml', name: 'trainer' },
    actions: ['s3:GetObject'],
    resource: 'models/a',
    valueAt: (key) => values[key],
    ...asked,
  });
}

test('what no statement is about is left to others', () => {
  expect(verdict([ALLOW])).toBe('allow');
  expect(verdict([ALLOW], { actions: ['s3:PutObject'] })).toBe('silent');
  expect(verdict([ALLOW], { resource: 'models' })).toBe('silent');
  expect(verdict([{ ...ALLOW, Principal: { AWS: 'ops' } }])).toBe('silent');
});

test('a deny wins over every allow, wherever it stands', () => {
  expect(verdict([ALLOW, DENY])).toBe('deny');
  expect(verdict([DENY, ALLOW])).toBe('deny');
  expect(verdict([ALLOW, { ...DENY, Resource: 'arn:aws:s3:::models/b' }])).toBe('allow');
});

test('all that a request needs has to be allowed, and nothing of it denied', () => {
  const actions = ['s3:PutObject', 's3:PutObjectTagging'];
  const put = { ...ALLOW, Action: 's3:PutObject' };
  expect(verdict([put], { actions })).toBe('silent');
  expect(verdict([{ ...put, Action: 's3:PutObject*' }], { actions })).toBe('allow');
  expect(
    verdict(
      [
        { ...put, Action: 's3:*' },
        { ...DENY, Action: 's3:PutObjectTagging' },
      ],
      { actions },
    ),
  ).toBe('deny');
});

test('actions are compared in any case, resources in their own', () => {
  expect(verdict([{ ...ALLOW, Action: 'S3:GETOBJECT' }])).toBe('allow');
  expect(verdict([{ ...ALLOW, Resource: 'arn:aws:s3:::models/A' }])).toBe('silent');
});

describe('a principal', () => {
  const of = (principal: unknown, account: string | undefined = 'ml') =>
    verdict([{ ...ALLOW, Principal: principal }], { principal: { account, name: 'trainer' } });
  const nobody = { account: undefined, name: 'anonymous' };

  test('is anyone, an account, or one name in it', () => {
    expect(of({ AWS: '*' })).toBe('allow');
    expect([of({ AWS: 'ml' }), of({ AWS: 'arn:aws:iam::ml:root' }), of({ CanonicalUser: 'ml' })]).toEqual(
      Array(3).fill('allow'),
    );
    expect([of({ AWS: 'arn:aws:iam::ml:user/trainer' }), of({ AWS: 'arn:aws:iam::ml:user/other' })]).toEqual([
      'allow',
      'silent',
    ]);
    expect(of({ AWS: 'ml' }, 'ops')).toBe('silent');
  });

  test('who is not signed is anyone and nobody else', () => {
    expect(verdict([ALLOW], { principal: nobody })).toBe('allow');
    expect(verdict([{ ...ALLOW, Principal: { AWS: 'ml' } }], { principal: nobody })).toBe('silent');
  });

  test('that is excepted from a deny is not denied, all others are', () => {
    const { Principal: _, ...rest } = DENY;
    const except = { ...rest, NotPrincipal: { AWS: 'ml' } };
    expect(verdict([except])).toBe('silent');
    expect(verdict([except], { principal: { account: 'ops', name: 'x' } })).toBe('deny');
    expect(verdict([except], { principal: nobody })).toBe('deny');
  });
});

test('actions and resources that are excepted are left out, all others are in', () => {
  const { Action: _, Resource: __, ...rest } = DENY;
  const except = { ...rest, NotAction: 's3:Get*', NotResource: 'arn:aws:s3:::models/free/*' };
  expect(verdict([except])).toBe('silent');
  expect(verdict([except], { actions: ['s3:PutObject'] })).toBe('deny');
  expect(verdict([except], { actions: ['s3:PutObject'], resource: 'models/free/x' })).toBe('silent');
});

describe('a condition', () => {
  const under = (block: object, values: Readonly<Record<string, string>>) =>
    verdict([{ ...ALLOW, Condition: block }], { values }) === 'allow';
  const prefix = (value: string) => ({ 's3:prefix': value });

  test.each<[operator: string, holds: string | undefined, fails: string | undefined]>([
    ['StringEquals', 'a/', 'A/'],
    ['StringNotEquals', 'b', 'a/'],
    ['StringEqualsIgnoreCase', 'A/', 'b'],
    ['StringNotEqualsIgnoreCase', 'b', 'A/'],
    ['StringLike', 'a/', 'a/b'],
    ['StringNotLike', 'a/b', 'a/'],
  ])('%s', (operator, yes, no) => {
    const block = { [operator]: { 's3:prefix': ['a/', 'never'] } };
    expect([under(block, prefix(yes ?? '')), under(block, prefix(no ?? ''))]).toEqual([true, false]);
    const isNegated = operator.includes('Not');
    expect(under(block, {}), 'without a value').toBe(isNegated);
    expect(under({ [`${operator}IfExists`]: { 's3:prefix': 'a/' } }, {}), 'without a value, if it exists').toBe(true);
  });

  test('StringLike takes wildcards', () => {
    expect(under({ StringLike: { 's3:prefix': 'a/*/c?' } }, prefix('a/b/b/cd'))).toBe(true);
  });

  test('is about addresses by range, also where they come mapped to the newer kind', () => {
    const from = (block: object, address: string) => under(block, { 'aws:sourceip': address });
    const inside = { IpAddress: { 'aws:SourceIp': ['10.1.0.0/16', '2001:db8::/32', '192.0.2.7'] } };
    const outside = { NotIpAddress: { 'aws:SourceIp': '10.1.0.0/16' } };
    for (const address of ['10.1.255.3', '::ffff:10.1.2.3', '2001:db8::1', '192.0.2.7']) {
      expect(from(inside, address), address).toBe(true);
    }
    for (const address of ['10.2.0.1', '2001:db9::1', '192.0.2.8', 'nonsense']) {
      expect(from(inside, address), address).toBe(false);
    }
    expect([from(outside, '10.1.0.1'), from(outside, '::ffff:10.1.0.1'), from(outside, '10.2.0.1')]).toEqual([
      false,
      false,
      true,
    ]);
  });

  test('is about numbers, times, truth and absence', () => {
    expect(under({ NumericLessThanEquals: { 's3:max-keys': 10 } }, { 's3:max-keys': '10' })).toBe(true);
    expect(under({ NumericLessThanEquals: { 's3:max-keys': 10 } }, { 's3:max-keys': '11' })).toBe(false);
    const now = { 'aws:currenttime': '2026-05-05T00:00:00Z' };
    expect(under({ DateGreaterThan: { 'aws:CurrentTime': '2026-01-01T00:00:00Z' } }, now)).toBe(true);
    expect(under({ DateGreaterThan: { 'aws:CurrentTime': '2027-01-01T00:00:00Z' } }, now)).toBe(false);
    expect(under({ Bool: { 'aws:SecureTransport': 'true' } }, { 'aws:securetransport': 'false' })).toBe(false);
    expect(under({ Null: { 's3:prefix': 'true' } }, {})).toBe(true);
    expect(under({ Null: { 's3:prefix': 'true' } }, prefix(''))).toBe(false);
    expect(under({ Null: { 's3:prefix': 'false' } }, prefix(''))).toBe(true);
  });

  test('has to hold beside all others of its statement', () => {
    const block = { StringEquals: { 's3:prefix': 'a/', 's3:delimiter': '/' }, Bool: { 'aws:SecureTransport': 'true' } };
    const all = { 's3:prefix': 'a/', 's3:delimiter': '/', 'aws:securetransport': 'true' };
    expect(under(block, all)).toBe(true);
    for (const key of Object.keys(all)) expect(under(block, { ...all, [key]: 'false' }), key).toBe(false);
  });
});

test('a policy is public when it allows anything to anyone from anywhere', () => {
  const from = (range: string) => ({ ...ALLOW, Condition: { IpAddress: { 'aws:SourceIp': range } } });
  expect(isPublic(policy(ALLOW))).toBe(true);
  expect(isPublic(policy({ ...ALLOW, Principal: { AWS: 'ml' } }))).toBe(false);
  expect(isPublic(policy(DENY))).toBe(false);
  expect([isPublic(policy(from('10.0.0.0/8'))), isPublic(policy(from('0.0.0.0/0')))]).toEqual([false, true]);
  expect(isPublic(policy({ ...ALLOW, Condition: { StringLike: { 'aws:Referer': 'http://a/*' } } }))).toBe(true);
});
