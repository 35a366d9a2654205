// docs/BACKENDS.md says what each kind of backend can do and how origins fail: held to the code, to what a client meets
// through a gateway over each kind, and to the fault table that the story of faults runs.
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parse, stringify } from 'yaml';
import type { Backend } from '../../backends/backend.ts';
import { settingsOf } from '../../src/config/backend-settings.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import type { OperationName } from '../../src/s3/operation.ts';
import { BACKEND_KINDS, type BackendKind, type OpenedBackend, openBackendOf } from '../support/every-backend.ts';
import {
  CIRCUIT_OPEN,
  type ClientGets,
  DISK_FULL,
  DISK_FULL_GETS,
  ORIGIN_FAULTS,
  UNREACHABLE,
  UNREACHABLE_GETS,
} from '../support/origin-fault-table.ts';
import { TestGateway } from '../support/s3-gateway.ts';
import { tableBeneath } from './markdown-table.ts';
import { EXAMPLES } from './operation-examples.ts';
import { outcomesOfOperations } from './operations-offered.ts';

const FILE = 'docs/BACKENDS.md';

/** native: the origin has it. emulated: the gateway makes it of what the origin has. gateway: no origin is asked. */
type Offer = 'native' | 'emulated' | 'no' | 'gateway';

const needs =
  (has: (backend: Backend) => unknown) =>
  (backend: Backend): Offer =>
    has(backend) === undefined ? 'no' : 'native';
const everywhere = (offer: Offer) => (): Offer => offer;
const listed = (backend: Backend): Offer => (backend.capabilities.list === 'none' ? 'no' : 'native');
const multipart = needs((backend) => backend.multipart);
const buckets = needs((backend) => backend.buckets);
const tagging = needs((backend) => backend.tagging);
const settings = needs((backend) => backend.bucketDocuments);
const settingsRead = (backend: Backend): Offer => (backend.bucketDocuments === undefined ? 'emulated' : 'native');

/** Where each operation comes from, by what the backend has. */
const OFFERS: Partial<Record<OperationName, (backend: Backend) => Offer>> = {
  ListBuckets: (backend) => (backend.buckets === undefined ? 'emulated' : 'native'),
  HeadBucket: (backend) => (backend.buckets === undefined ? 'emulated' : 'native'),
  CreateBucket: buckets,
  DeleteBucket: buckets,
  GetBucketLocation: everywhere('gateway'),
  GetBucketVersioning: (backend) => (backend.versioning === undefined ? 'gateway' : 'native'),
  PutBucketVersioning: needs((backend) => backend.versioning?.set),
  GetBucketRequestPayment: everywhere('gateway'),
  GetBucketAccelerateConfiguration: everywhere('gateway'),
  GetBucketLogging: everywhere('gateway'),
  GetBucketNotificationConfiguration: everywhere('gateway'),
  GetBucketCors: settingsRead,
  PutBucketCors: settings,
  DeleteBucketCors: settings,
  GetBucketTagging: settingsRead,
  PutBucketTagging: settings,
  DeleteBucketTagging: settings,
  GetBucketPolicy: settingsRead,
  GetBucketPolicyStatus: settingsRead,
  PutBucketPolicy: settings,
  DeleteBucketPolicy: settings,
  GetPublicAccessBlock: settingsRead,
  PutPublicAccessBlock: settings,
  DeletePublicAccessBlock: settings,
  GetBucketAcl: everywhere('gateway'),
  PutBucketAcl: everywhere('gateway'),
  DeleteBucketEncryption: everywhere('gateway'),
  DeleteBucketLifecycleConfiguration: everywhere('gateway'),
  DeleteBucketOwnershipControls: everywhere('gateway'),
  DeleteBucketReplication: everywhere('gateway'),
  DeleteBucketWebsite: everywhere('gateway'),
  ListObjects: listed,
  ListObjectsV2: listed,
  ListObjectVersions: (backend) =>
    listed(backend) === 'no' ? 'no' : backend.versioning === undefined ? 'emulated' : 'native',
  ListMultipartUploads: multipart,
  DeleteObjects: (backend) =>
    backend.deleteMany !== undefined ? 'native' : backend.delete === undefined ? 'no' : 'emulated',
  GetObject: everywhere('native'),
  HeadObject: everywhere('native'),
  GetObjectAcl: everywhere('emulated'),
  GetObjectAttributes: everywhere('emulated'),
  GetObjectTagging: (backend) => (backend.tagging === undefined ? 'emulated' : 'native'),
  PutObjectTagging: tagging,
  DeleteObjectTagging: tagging,
  PutObject: needs((backend) => backend.put),
  PostObject: needs((backend) => backend.put),
  PutObjectAcl: everywhere('emulated'),
  CopyObject: (backend) => (backend.copy !== undefined ? 'native' : backend.put === undefined ? 'no' : 'emulated'),
  DeleteObject: needs((backend) => backend.delete),
  CreateMultipartUpload: multipart,
  UploadPart: multipart,
  UploadPartCopy: (backend) =>
    backend.multipart === undefined ? 'no' : backend.multipart.uploadPartCopy === undefined ? 'emulated' : 'native',
  CompleteMultipartUpload: multipart,
  AbortMultipartUpload: multipart,
  ListParts: multipart,
};

const opened = new Map<BackendKind, OpenedBackend>();
let offered: readonly string[];
beforeAll(async () => {
  // Those that do not say, before they look at anything, that they are not there or that nothing is configured.
  offered = [...(await outcomesOfOperations())].filter(([, outcome]) => outcome === 'offered').map(([name]) => name);
  for (const kind of BACKEND_KINDS) opened.set(kind, await openBackendOf(kind));
});
afterAll(async () => {
  for (const { close } of opened.values()) await close();
});

function backendOf(kind: BackendKind): Backend {
  const found = opened.get(kind);
  if (found === undefined) throw new Error(`There is no backend '${kind}'.`);
  return found.backend;
}

describe('Operations', () => {
  const rows = tableBeneath(FILE, 'Operations');

  test('every operation that is offered has a row, and no other', () => {
    expect(rows.map((row) => row.operation).sort()).toEqual([...offered].sort());
    expect(Object.keys(OFFERS).sort()).toEqual([...offered].sort());
  });

  test.each(BACKEND_KINDS)('the column of %s is what the backend has', (kind) => {
    const backend = backendOf(kind);
    const told = rows.map((row) => [row.operation, row[kind]]);
    const made = rows.map(({ operation }) => [operation, OFFERS[operation as OperationName]?.(backend)]);
    expect(told).toEqual(made);
  });

  test.each(BACKEND_KINDS)(
    'a client of a gateway over %s can do what its column says, and gets 501 for the rest',
    async (kind) => {
      const gateway = await TestGateway.start({ backend: backendOf(kind) });
      try {
        const met: Record<string, string> = {};
        for (const operation of Object.keys(EXAMPLES) as OperationName[]) {
          met[operation] = (await EXAMPLES[operation]?.(gateway.port)) ?? 'not tried';
        }
        const said = Object.fromEntries(
          rows.map((row) => [row.operation, row[kind] === 'no' ? '501 NotImplemented' : 'success']),
        );
        expect(met).toEqual(said);
      } finally {
        await gateway.close();
      }
    },
  );
});

describe('Abilities', () => {
  const rows = tableBeneath(FILE, 'Abilities');

  test.each(BACKEND_KINDS)('the column of %s is its capabilities', (kind) => {
    const {
      local = false,
      deleteIf = 'none',
      encryption = [],
      acls = false,
      ...capabilities
    } = backendOf(kind).capabilities;
    const told = Object.fromEntries(rows.map((row) => [row.capability, row[kind]]));
    const shown = Object.entries({ local, deleteIf, encryption, acls, ...capabilities }).map(([name, value]) => [
      name,
      shownAs(name, value),
    ]);
    expect(told).toEqual(Object.fromEntries(shown));
  });
});

describe('Settings', () => {
  const examples = yamlOf(FILE);
  const backends = examples.flatMap(({ backends = {} }) => Object.values(backends));

  test.each(examples)('example %# can be used', async (example) => {
    const folder = await mkdtemp(join(tmpdir(), 'dfstore-example-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, 'dfstore.yaml');
    await writeFile(file, stringify(example));
    // Every variable that an example names is set.
    const names = JSON.stringify(example).matchAll(/\$\{(\w+)\}/g);
    const env = Object.fromEntries([...names].map(([, name]) => [name, 'value']));
    expect(loadConfig({ file, env }).warnings).toEqual([]);
  });

  test.each(BACKEND_KINDS)('every setting of %s is in an example', (kind) => {
    const shown = backends.filter(({ type }) => type === kind);
    const limits = kind === 'fs' ? [] : backends.filter((backend) => 'failuresToOpen' in backend);
    expect([...new Set([...shown, ...limits].flatMap(Object.keys))]).toEqual(
      expect.arrayContaining([...settingsOf(kind)]),
    );
  });
});

describe('Faults', () => {
  test('the table has the faults that are tested, and what clients get of them', () => {
    const told = tableBeneath(FILE, 'Faults').map((row) => ({
      name: row['the origin'],
      reader: row['a reader gets'],
      writer: row['a writer gets'],
    }));
    const unreachable = [...UNREACHABLE.map(({ name }) => name), CIRCUIT_OPEN].map((name) => ({
      name,
      reader: UNREACHABLE_GETS,
      writer: UNREACHABLE_GETS,
    }));
    const full = { name: DISK_FULL, reader: 'success' as const, writer: DISK_FULL_GETS };
    const tested = [...ORIGIN_FAULTS, ...unreachable, full].map(({ name, reader, writer }) => ({
      name,
      reader: worded(reader),
      writer: worded(writer),
    }));
    expect(told).toEqual(tested);
  });
});

interface Example {
  readonly backends?: Readonly<Record<string, { readonly type: string } & Record<string, unknown>>>;
}

function yamlOf(file: string): readonly Example[] {
  const text = readFileSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), 'utf8');
  return [...text.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, yaml = '']) => parse(yaml));
}

function worded(gets: ClientGets): string {
  if (gets === 'cut') return '200, cut short';
  return gets === 'success' ? 'success' : `${gets.status} ${gets.code}`;
}

const UNITS = [
  ['GiB', 1024 ** 3],
  ['MiB', 1024 ** 2],
  ['KiB', 1024],
] as const;

function shownAs(name: string, value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(', ');
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value !== 'number') return String(value);
  if (value === 0) return 'none';
  if (value === Number.MAX_SAFE_INTEGER) return 'the disk';
  const [unit, bytes] = UNITS.find(([, size]) => name.endsWith('Bytes') && value % size === 0) ?? [undefined, 1];
  return unit === undefined ? String(value) : `${value / bytes} ${unit}`;
}
