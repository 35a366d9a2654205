// What S3 answers, case by case, from a gateway on the embedded store with three accounts. The list is strict: a case
// that is said to pass has to, and one that is said to deviate has to, so that neither changes without being noticed.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Credential } from '../../src/s3/auth/credentials.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { sendRaw } from '../support/signed-request.ts';
import { BUCKETS_AND_LISTS } from './buckets-and-lists.ts';
import { type Case, type CaseWorld, runCase } from './case.ts';
import { OBJECTS } from './objects.ts';
import { SETTINGS } from './settings.ts';
import { UPLOADS } from './uploads.ts';

const account = (name: string): Credential => ({
  name,
  account: name,
  accessKeyId: `KEY${name.toUpperCase()}00000`,
  secretAccessKey: `${name}-secret`,
});
const credentials = { main: account('main'), alt: account('alt'), tenant: account('tenant') };

let gateway: TestGateway;
let world: CaseWorld;
let made = 0;

beforeAll(async () => {
  gateway = await startGateway({ config: { auth: { credentials: Object.values(credentials) } } });
  world = { port: Number(new URL(gateway.s3Url).port), credentials };
});
afterAll(() => gateway.close());

async function tried(one: Case): Promise<Error | undefined> {
  made += 1;
  const bucket = `conformance-${made}`;
  const created = await sendRaw(world.port, { method: 'PUT', path: `/${bucket}`, credential: credentials.main });
  expect(created.status).toBe(200);
  try {
    await runCase(one, bucket, world);
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

const CASES = [...BUCKETS_AND_LISTS, ...OBJECTS, ...UPLOADS, ...SETTINGS];

test('every case has a name of its own', () => {
  expect(new Set(CASES.map(({ name }) => name)).size).toBe(CASES.length);
});

describe('as S3 does', () => {
  test.each(CASES.filter(({ deviates }) => deviates === undefined))('$name', async (one) => {
    const failure = await tried(one);
    if (failure !== undefined) throw failure;
  });
});

describe('otherwise, and said so', () => {
  test.each(CASES.filter(({ deviates }) => deviates !== undefined))('$name (no: $deviates)', async (one) => {
    const failure = await tried(one);
    if (failure === undefined) throw new Error(`It passes now; take '${one.deviates}' away from '${one.name}'.`);
    // That a request was answered otherwise, not that the case could not be tried.
    expect(failure.name).toBe('AssertionError');
  });
});
