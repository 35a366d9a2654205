// Versions of a bucket at an S3 origin, by the requests of a client of the gateway before it.
import { expect, test } from 'vitest';
import { askGateway } from '../support/client-outcome.ts';
import { startGateway } from '../support/gateway.ts';

const ENABLED = '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>';

test("versions that an S3 origin keeps are switched on, written, read and listed by the gateway's clients", async () => {
  await using origin = await startGateway();
  const { s3Url: endpoint, accessKeyId, secretAccessKey } = origin;
  await using gateway = await startGateway({
    config: {
      backends: { main: { type: 's3', endpoint, accessKeyId, secretAccessKey, pathStyle: true } },
      buckets: { '*': { backend: 'main' } },
    },
  });
  const ask = (method: string, path: string, body = '') => askGateway(gateway, { method, path, body });
  expect((await ask('PUT', '/kept')).status).toBe(200);
  expect((await ask('PUT', '/kept?versioning', ENABLED)).status).toBe(200);
  expect((await ask('GET', '/kept?versioning')).body.toString()).toContain('<Status>Enabled</Status>');
  const first = (await ask('PUT', '/kept/key', 'first')).headers['x-amz-version-id'];
  const second = (await ask('PUT', '/kept/key', 'second')).headers['x-amz-version-id'];
  expect(first).not.toBe(second);
  expect((await ask('GET', `/kept/key?versionId=${first}`)).body.toString()).toBe('first');
  expect((await ask('GET', '/kept/key')).body.toString()).toBe('second');
  const listed = (await ask('GET', '/kept?versions')).body.toString();
  expect([...listed.matchAll(/<VersionId>([^<]*)</g)].map(([, id]) => id)).toEqual([second, first]);
});
