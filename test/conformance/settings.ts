// What is set on buckets and objects: tags, versions, policies, and what cannot be set.
import { type Case, objects } from './case.ts';

export const SETTINGS: readonly Case[] = [
  {
    name: 'tags of objects',
    steps: [
      { send: 'PUT /{b}/k', body: 'x', headers: { 'x-amz-tagging': 'a=b&c=d' }, status: 200 },
      { send: 'GET /{b}/k?tagging', status: 200, elements: { Key: ['a', 'c'], Value: ['b', 'd'] } },
      { send: 'HEAD /{b}/k', status: 200, has: { 'x-amz-tagging-count': '2' } },
      { send: 'DELETE /{b}/k?tagging', status: 204 },
      { send: 'GET /{b}/k?tagging', status: 200, elements: { Key: [] } },
      {
        send: 'PUT /{b}/k',
        body: 'x',
        headers: { 'x-amz-tagging': `a=${'x'.repeat(257)}` },
        status: 400,
        code: 'InvalidTag',
      },
    ],
  },
  {
    name: 'versions are kept, read and deleted one by one',
    steps: [
      {
        send: 'PUT /{b}?versioning',
        body: '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>',
        status: 200,
      },
      { send: 'PUT /{b}/k', body: 'one', status: 200, save: { one: { header: 'x-amz-version-id' } } },
      { send: 'PUT /{b}/k', body: 'two', status: 200 },
      {
        send: 'DELETE /{b}/k',
        status: 204,
        has: { 'x-amz-delete-marker': 'true' },
        save: { marker: { header: 'x-amz-version-id' } },
      },
      { send: 'GET /{b}/k', status: 404, code: 'NoSuchKey', has: { 'x-amz-delete-marker': 'true' } },
      { send: 'GET /{b}/k?versionId={one}', status: 200, text: 'one' },
      { send: 'DELETE /{b}/k?versionId={marker}', status: 204 },
      { send: 'GET /{b}/k', status: 200, text: 'two' },
    ],
  },
  {
    name: 'a policy lets another account in, and says no before all else',
    steps: [
      ...objects('a'),
      {
        send: 'PUT /{b}?policy',
        body: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::{b}/*"}]}',
        status: 204,
      },
      { send: 'GET /{b}/a', as: 'alt', status: 200, text: 'a' },
      { send: 'GET /{b}/a', as: 'nobody', status: 200, text: 'a' },
      { send: 'GET /{b}', as: 'alt', status: 403, code: 'AccessDenied' },
      { send: 'DELETE /{b}?policy', status: 204 },
      { send: 'GET /{b}/a', as: 'alt', status: 403, code: 'AccessDenied' },
    ],
  },
  ...(
    [
      ['lifecycle', 'NoSuchLifecycleConfiguration'],
      ['encryption', 'ServerSideEncryptionConfigurationNotFoundError'],
      ['object-lock', 'ObjectLockConfigurationNotFoundError'],
      ['website', 'NoSuchWebsiteConfiguration'],
      ['replication', 'ReplicationConfigurationNotFoundError'],
    ] as const
  ).flatMap(([name, code]) => [
    { name: `${name} is not configured`, steps: [{ send: `GET /{b}?${name}`, status: 404, code }] },
    {
      name: `${name} can be configured`,
      steps: [{ send: `PUT /{b}?${name}`, body: '<X/>', status: 200 }],
      deviates: 'not offered: docs/S3-COVERAGE.md says why',
    },
  ]),
];
