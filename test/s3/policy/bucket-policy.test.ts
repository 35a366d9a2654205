// Which policies are taken, and which are refused rather than half understood.
import { describe, expect, test } from 'vitest';
import { parseBucketPolicy } from '../../../src/s3/policy/bucket-policy.ts';

/** As policies of AWS may have them. */
const VARIABLE = ['$', '{aws:username}'].join('');

const SOUND = {
  Effect: 'Allow',
  Principal: '*',
  Action: 's3:GetObject',
  Resource: 'arn:aws:s3:::models/*',
};

function parse(statement: object | object[], document: object = {}) {
  return parseBucketPolicy(JSON.stringify({ Version: '2012-10-17', Statement: statement, ...document }), 'models');
}

test('a policy is read with single values and lists alike', () => {
  const [statement] = parse([
    {
      ...SOUND,
      Sid: 'one',
      Principal: {
        AWS: ['*', 'ml', 'arn:aws:iam::ml:root', 'arn:aws:iam::ml:user/team/trainer'],
        CanonicalUser: 'ops',
      },
      Action: ['s3:Get*', 'S3:putobject'],
      Resource: ['arn:aws:s3:::models', 'arn:aws-cn:s3:::models/a?/*'],
      Condition: { StringLikeIfExists: { 's3:Prefix': ['a/*', 'b/*'] }, Bool: { 'aws:SecureTransport': true } },
    },
  ]).statements;
  expect(statement).toEqual({
    effect: 'Allow',
    principals: {
      not: false,
      list: [
        'anyone',
        { account: 'ml' },
        { account: 'ml', name: undefined },
        { account: 'ml', name: 'trainer' },
        { account: 'ops' },
      ],
    },
    actions: { not: false, list: ['s3:get*', 's3:putobject'] },
    resources: { not: false, list: ['models', 'models/a?/*'] },
    conditions: [
      { operator: 'StringLike', ifExists: true, key: 's3:prefix', values: ['a/*', 'b/*'] },
      { operator: 'Bool', ifExists: false, key: 'aws:securetransport', values: ['true'] },
    ],
  });
});

test('what is excepted is read as such', () => {
  const { Principal: _, Action: __, Resource: ___, ...rest } = SOUND;
  const exceptions = { NotPrincipal: { AWS: 'ml' }, NotAction: 's3:GetObject', NotResource: 'arn:aws:s3:::models/x' };
  const [statement] = parse({ ...rest, ...exceptions, Effect: 'Deny' }).statements;
  expect([statement?.principals.not, statement?.actions.not, statement?.resources.not]).toEqual([true, true, true]);
});

describe('refused as MalformedPolicy is', () => {
  const { Action: _, ...withoutAction } = SOUND;
  const condition = (block: unknown) => ({ ...SOUND, Condition: block });
  test.each<[what: string, statement: object]>([
    ['an effect that is none', { ...SOUND, Effect: 'allow' }],
    ['a field that nobody knows', { ...SOUND, Principle: '*' }],
    ['a statement without an action', withoutAction],
    ['a statement with both an action and its exception', { ...SOUND, NotAction: 's3:PutObject' }],
    ['no action at all', { ...SOUND, Action: [] }],
    ['an action that S3 does not have', { ...SOUND, Action: 's3:GetObjects' }],
    ['an action of another service', { ...SOUND, Action: 'iam:GetUser' }],
    ["another bucket's objects", { ...SOUND, Resource: 'arn:aws:s3:::other/*' }],
    ['a resource that is no ARN', { ...SOUND, Resource: 'models/*' }],
    ['a variable in a resource', { ...SOUND, Resource: `arn:aws:s3:::models/${VARIABLE}/*` }],
    ['a service as principal', { ...SOUND, Principal: { Service: 'logging.s3.amazonaws.com' } }],
    ['a role as principal', { ...SOUND, Principal: { AWS: 'arn:aws:iam::1:role/x' } }],
    ['a principal with a wildcard', { ...SOUND, Principal: { AWS: 'arn:aws:iam::1:user/*' } }],
    ['an allow to all but some', { Effect: 'Allow', NotPrincipal: { AWS: 'a' }, Action: 's3:*', Resource: '*' }],
    ['an operator that nobody knows', condition({ StringMatches: { 's3:prefix': 'a' } })],
    ['a set operator', condition({ 'ForAnyValue:StringEquals': { 's3:prefix': 'a' } })],
    ['a condition key that nobody knows', condition({ StringEquals: { 'aws:PrincipalOrgID': 'o-1' } })],
    ['a tag without a name', condition({ StringEquals: { 's3:ExistingObjectTag/': 'a' } })],
    ['an address compared as text', condition({ StringEquals: { 'aws:SourceIp': '10.0.0.1' } })],
    ['a prefix compared as an address', condition({ IpAddress: { 's3:prefix': '10.0.0.0/8' } })],
    ['an address that is none', condition({ IpAddress: { 'aws:SourceIp': '10.0.0.300' } })],
    ['a range that is too narrow', condition({ IpAddress: { 'aws:SourceIp': '10.0.0.0/33' } })],
    ['a truth value that is none', condition({ Bool: { 'aws:SecureTransport': 'yes' } })],
    ['a number that is none', condition({ NumericLessThan: { 's3:max-keys': 'ten' } })],
    ['a time that is none', condition({ DateLessThan: { 'aws:CurrentTime': 'tomorrow' } })],
    ['a variable in a condition', condition({ StringLike: { 's3:prefix': `${VARIABLE}/*` } })],
    ['no value', condition({ StringEquals: { 's3:prefix': [] } })],
    ['a value that is an object', condition({ StringEquals: { 's3:prefix': {} } })],
    ['whether something is absent, if it is there', condition({ NullIfExists: { 's3:prefix': 'true' } })],
    ['conditions in a list', condition([{ StringEquals: { 's3:prefix': 'a' } }])],
  ])('%s', (_what, statement) => {
    expect(() => parse(statement)).toThrow(expect.objectContaining({ code: 'MalformedPolicy' }));
  });

  test.each<[what: string, text: string]>([
    ['text that is not JSON', '{'],
    ['a list', '[]'],
    ['a document without statements', '{"Version":"2012-10-17"}'],
    ['a document of an unknown version', JSON.stringify({ Version: '2020-01-01', Statement: SOUND })],
    ['a document with a field that nobody knows', JSON.stringify({ Statement: SOUND, Policy: 1 })],
    ['a document beyond 20 KiB', JSON.stringify({ Id: 'x'.repeat(20 * 1024), Statement: SOUND })],
  ])('%s', (_what, text) => {
    expect(() => parseBucketPolicy(text, 'models')).toThrow(expect.objectContaining({ code: 'MalformedPolicy' }));
  });
});
