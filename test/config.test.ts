// What an operator writes, and what comes of it: precedence, units, and every mistake told in one go.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ConfigError, type LoadedConfig, loadConfig, NAMED_SETTINGS } from '../src/config/load-config.ts';
import { redactConfig } from '../src/config/redact.ts';

function load(yaml: string, env: Record<string, string> = {}, flags: Record<string, string> = {}): LoadedConfig {
  const file = join(mkdtempSync(join(tmpdir(), 'dfstore-config-')), 'dfstore.yaml');
  writeFileSync(file, yaml);
  return loadConfig({ file, env, flags });
}

function problemsOf(yaml: string, env: Record<string, string> = {}, flags: Record<string, string> = {}) {
  try {
    load(yaml, env, flags);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('what the configuration is made of', () => {
  test('without any setting there is one directory for every bucket, on loopback', () => {
    const { config } = load('');
    expect(config.listen).toEqual({ host: '127.0.0.1', port: 9000 });
    expect(config.admin.listen).toEqual({ host: '127.0.0.1', port: 9001 });
    expect(config.backends).toMatchObject({ local: { type: 'fs', root: 'dfstore-data/objects', fsync: true } });
    expect(config.buckets).toMatchObject({ '*': { backend: 'local', writeMode: 'write-through' } });
  });

  test('the default directory follows the data directory', () => {
    expect(load('', { DFSTORE_DATA: '/srv/dfstore' }).config.backends.local).toMatchObject({
      root: '/srv/dfstore/objects',
    });
  });

  test('a flag wins over the environment, the environment over the file, the file over the default', () => {
    const yaml = 'limits: { connections: 1, requests: 1, requestsPerKey: 1 }';
    const env = { DFSTORE_LIMITS_REQUESTS: '2', DFSTORE_LIMITS_REQUESTS_PER_KEY: '2' };
    const { limits } = load(yaml, env, { 'limits.requestsPerKey': '3' }).config;
    expect(limits).toMatchObject({ connections: 1, requests: 2, requestsPerKey: 3, headerBytes: 16_384 });
  });

  test('durations become milliseconds and sizes bytes', () => {
    const { limits } = load(
      'limits: { bodyTimeout: 1.5m, idleTimeout: 500ms, xmlBytes: 1.5MiB, headerBytes: 8192 }',
    ).config;
    expect(limits).toMatchObject({ bodyTimeout: 90_000, idleTimeout: 500, xmlBytes: 1_572_864, headerBytes: 8_192 });
  });

  test('what is old may be of any age', () => {
    const { config } = load('buckets: { a: { backend: local, freshness: 365d } }');
    expect(config.buckets.a?.freshness).toBe(365 * 86_400_000);
  });

  test('the whole contract of settings is understood', () => {
    const { config } = load(CONTRACT, { ADMIN: 'token-of-admin', OSS_ID: 'id', OSS_SECRET: 'oss-secret' });
    expect(config.admin.token).toBe('token-of-admin');
    expect(config.backends.oss).toMatchObject({ type: 'oss', accessKeySecret: 'oss-secret', retries: 2 });
    expect(config.buckets.models).toMatchObject({ bucket: 'corp-models', prefix: 'prod/', freshness: 30_000 });
    expect(config.cache).toMatchObject({ capacity: 50 * 2 ** 30, verify: 'first' });
    expect(config.auth.credentials).toHaveLength(1);
  });

  test('lists and maps can come from a flag or the environment, as YAML or JSON', () => {
    const env = { DFSTORE_BACKENDS: '{"files": {"type": "http", "endpoint": "https://files.example.com/"}}' };
    const { config } = load('', env, { buckets: '{ data: { backend: files } }' });
    expect(config.backends.files).toMatchObject({ endpoint: 'https://files.example.com/', idleTimeout: 120_000 });
    expect(Object.keys(config.buckets)).toEqual(['data']);
  });

  test('a section whose lines are all commented out, and an empty variable, are as good as absent', () => {
    const { config } = load('cache:\n  # enabled: false\nadmin:\n', { DFSTORE_DOMAIN: '' });
    expect(config.cache.enabled).toBe(true);
    expect(config.domain).toBeUndefined();
  });

  test('nothing can change the configuration once it is read', () => {
    const { config } = load(CONTRACT, { ADMIN: 'a', OSS_ID: 'i', OSS_SECRET: 's' });
    expect(() => Object.assign(config.limits, { requests: 1 })).toThrow(TypeError);
    expect(() => Object.assign(config.buckets.models ?? {}, { backend: 'other' })).toThrow(TypeError);
  });

  test('each setting has a flag, a variable and a help text of its own', () => {
    for (const name of ['path', 'flag', 'env'] as const) {
      const names = NAMED_SETTINGS.map((named) => named[name]);
      expect(new Set(names).size).toBe(names.length);
    }
    expect(NAMED_SETTINGS.every(({ setting }) => setting.help.length > 5)).toBe(true);
    expect(NAMED_SETTINGS.find(({ path }) => path === 'limits.headerBytes')).toMatchObject({
      flag: '--limits-header-bytes',
      env: 'DFSTORE_LIMITS_HEADER_BYTES',
    });
  });
});

describe('variables in the file', () => {
  test('a variable is text wherever it stands, and cannot change what the file means', () => {
    const evil = `x" }\nlisten: 0.0.0.0:1 # \${HOME}`;
    const { config } = load(`admin: { token: \${TOKEN} }\ndomain: "s3.\${ZONE}.example" # \${NOT_THERE}`, {
      TOKEN: evil,
      ZONE: 'a',
    });
    expect(config.admin.token).toBe(evil);
    expect(config.domain).toBe('s3.a.example');
    expect(config.listen.port).toBe(9000);
  });

  test('a number may come from a variable', () => {
    expect(load(`limits: { requests: \${N} }`, { N: '7' }).config.limits.requests).toBe(7);
  });

  test('two dollars are one, and no variable', () => {
    expect(load(`admin: { token: $\${TOKEN} }`).config.admin.token).toBe(`\${TOKEN}`);
  });

  test('a variable that is not set is named, with the setting that needs it', () => {
    expect(problemsOf(`admin: { token: \${NOPE} }`)).toEqual([
      'admin.token: the environment has no variable NOPE, which the file refers to',
    ]);
  });
});

describe('mistakes', () => {
  test('every mistake is told at once, each with its place', () => {
    const problems = problemsOf('listen: nowhere\nlimits: { bodyTimeout: 30, requests: -1 }\ncache: { verify: never }');
    expect(problems).toHaveLength(4);
    expect(problems.map((problem) => problem.split(':')[0])).toEqual([
      'listen',
      'cache.verify',
      'limits.requests',
      'limits.bodyTimeout',
    ]);
  });

  test.each([
    ['limit: { requests: 1 }', "'limit' is not a setting here; did you mean 'limits'?"],
    ['limits: { conections: 1 }', "limits: 'conections' is not a setting here; did you mean 'connections'?"],
    ['limits: { zzzzzz: 1 }', "limits: 'zzzzzz' is not a setting here; known are connections, requests"],
    ['backends: { a: { type: s3, regoin: x } }', "backends.a: 'regoin' is not a setting here; did you mean 'region'?"],
    [
      'buckets: { a: { backend: local, freshnes: 1s } }',
      "buckets.a: 'freshnes' is not a setting here; did you mean 'freshness'?",
    ],
    ['mesh: { members: { statik: [] } }', "mesh.members: 'statik' is not a setting here; did you mean 'static'?"],
    ['backends: { a: { type: s4 } }', 'backends.a.type: must be one of fs, s3, oss, obs, http, webhdfs'],
    ['backends: { a: { type: fs } }', 'backends.a.root: must be text'],
    ['backends: { a: { type: s3, endpoint: "ftp://x" } }', 'backends.a.endpoint: must be an http or https URL'],
    ['backends: {}', 'backends: must have at least one backend'],
    ['backends: { a: { type: s3 }, b: { type: s3 } }', 'buckets: say which backend holds which bucket'],
    ['buckets: { a: { backend: locla } }', "buckets.a.backend: there is no backend 'locla'; did you mean local?"],
    ['buckets: { "*": { backend: local, bucket: one } }', 'buckets.*.bucket: every bucket would be the same one'],
    [
      'buckets: { a: { backend: local, freshness: soon } }',
      "buckets.a.freshness: must be a duration like 30s, or 'immutable'",
    ],
    ['auth: { credentials: [{ accessKeyId: a }] }', 'auth.credentials: 0.secretAccessKey must be text'],
    ['auth: { anonymous: [{ allow: [fly], buckets: [a] }] }', 'auth.anonymous.0.allow.0: must be one of read, write'],
    ['domain: 12', 'domain: must be text (put it in quotes)'],
    ['tls: { cert: a.pem }', 'tls: cert and key belong together; key is missing'],
    ['auth: { accessKeyId: a }', 'auth: accessKeyId and secretAccessKey belong together'],
    ['limits: { xmlBytes: 1KiB }', 'limits.xmlBytes: must be at least 1.1MB'],
    ['limits: { idleTimeout: 0 }', 'limits.idleTimeout: must not be 0'],
    ['limits: { bodyTimeout: 25d }', 'limits.bodyTimeout: must be at most 24 days'],
    ['backends: { a: { type: s3, connectTimeout: 25d } }', 'backends.a.connectTimeout: must be at most 24 days'],
    ['admin: { checkInterval: 0 }', 'admin.checkInterval: must not be 0'],
    ['admin: { checkTimeout: 0 }', 'admin.checkTimeout: must not be 0'],
    ['auth: { reloadInterval: 0 }', 'auth.reloadInterval: must not be 0'],
    ['cache: { pieceSize: 512KiB }', 'cache.pieceSize: must be from 1MiB to 64MiB'],
    ['cache: { pieceSize: 65MiB }', 'cache.pieceSize: must be from 1MiB to 64MiB'],
    ['cache: { blockSize: 63KiB }', 'cache.blockSize: must be at least 64KiB'],
    ['cache: { pieceSize: 1MiB, blockSize: 2MiB, window: 2MiB }', 'and no more than cache.pieceSize'],
    ['cache: { window: 128KiB }', 'cache.window: must be at least cache.blockSize'],
    ['cache: { inFlight: 512KiB }', 'cache.inFlight: must be at least cache.window'],
    ['cache: { disks: [] }', 'cache.disks: must name at least one directory'],
    ['listen: 127.0.0.1:99999', "'127.0.0.1:99999' is not an address"],
    ['a: [', 'The configuration file is not valid YAML'],
    ['a: 1\na: 2', 'The configuration file is not valid YAML: Map keys must be unique'],
    ['just text', 'the configuration: must be a map of settings'],
  ])('%s', (yaml, expected) => {
    const problems = problemsOf(yaml);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(expected);
  });

  test('a mistake in a flag or a variable is told by the name it was given under', () => {
    expect(problemsOf('', { DFSTORE_LISTEN: 'x' })[0]).toContain('listen (from DFSTORE_LISTEN): ');
    expect(problemsOf('', {}, { 'limits.requests': 'x' })[0]).toContain('limits.requests (from --limits-requests): ');
    expect(problemsOf('', { DFSTORE_BUCKETS: '{' })[0]).toContain('DFSTORE_BUCKETS is neither YAML nor JSON');
  });

  test('a file that is not there is told by its name', () => {
    expect(() => loadConfig({ file: '/nowhere/dfstore.yaml', env: {} })).toThrow(
      /\/nowhere\/dfstore.yaml cannot be read/,
    );
  });

  test('what this version cannot do is refused, not ignored', () => {
    expect(problemsOf('buckets: { a: { backend: local, writeMode: write-back } }')[0]).toContain('write-back');
  });

  test('a mistyped variable is warned of, and what Kubernetes adds is not', () => {
    const env = { DFSTORE_LISTN: 'x', DFSTORE_PORT_9000_TCP_ADDR: '10.0.0.1', DFSTORE_SERVICE_HOST: '10.0.0.1' };
    expect(load('', env).warnings).toEqual([
      'The environment variable DFSTORE_LISTN is not a setting; did you mean DFSTORE_LISTEN?',
    ]);
  });
});

const SECRET = 'sixteen letters!';
/** A mesh that is right, with these settings in place of its own; undefined ones are left out. */
function mesh(settings: Record<string, unknown> = {}): string {
  const right = { listen: '10.0.0.7:9002', members: { static: ['10.0.0.7:9002', '10.0.0.8:9002'] }, secret: SECRET };
  return JSON.stringify({ mesh: { ...right, ...settings } });
}

describe('the mesh', () => {
  const tls = { cert: 'c.pem', key: 'k.pem', ca: 'ca.pem' };
  const other = { static: ['10.0.0.8:9002'] };

  test.each([
    ['a static list', {}],
    ['port 0, whose number becomes the identity', { listen: '127.0.0.1:0' }],
    ['every interface, with what others call it', { listen: '0.0.0.0:9002', advertise: '10.0.0.7:9002' }],
    ['certificates in place of a secret', { secret: undefined, tls }],
    ['certificates and a secret', { tls }],
    ['a peer, which is not on the list', { role: 'peer', members: other }],
    ['a name', { members: { dns: 'dfstore-mesh.prod.svc:9002' } }],
    ['Redis', { members: { redis: 'rediss://user:password@redis.example.com:6380/2', lan: false } }],
    ['the local network', { members: { lan: true } }],
    ['version 6', { listen: '[::]:9002', advertise: '[fd00::7]:9002', members: { static: ['[fd00::7]:9002'] } }],
  ])('%s is accepted', (_, settings) => {
    expect(load(mesh(settings)).config.mesh.role).toBe('role' in settings ? 'peer' : 'tracker');
  });

  test.each([
    [
      { listen: '0.0.0.0:9002', members: { lan: true } },
      'mesh.advertise: others cannot reach 0.0.0.0; name the address',
    ],
    [{ listen: '[::]:9002', members: { lan: true } }, 'mesh.advertise: others cannot reach ::'],
    [{ advertise: '0.0.0.0:9002', members: { lan: true } }, 'mesh.advertise: nobody can reach 0.0.0.0:9002'],
    [{ advertise: '10.0.0.7:0', members: { lan: true } }, 'mesh.advertise: nobody can reach 10.0.0.7:0'],
    [{ advertise: 'a&b:9002', members: { lan: true } }, "mesh.advertise: 'a&b' is neither a host name"],
    [{ listen: '10.0.0.7:0', advertise: '10.0.0.7:9002' }, 'mesh.listen: port 0 takes any free port, which mesh.adv'],
    [{ members: undefined }, 'mesh.members: say how gateways find each other: static, dns, redis or lan: true'],
    [{ members: { lan: false } }, 'mesh.members: say how gateways find each other'],
    [
      { members: { dns: 'dfstore-mesh:9003' } },
      'mesh.members.dns: says port 9003, and this gateway is reached at port',
    ],
    [{ advertise: 'node-7:9002', members: { dns: 'm:9002' } }, 'mesh.advertise: must have the IP address that m gives'],
    [{ members: { dns: 'a:9002', lan: true } }, 'mesh.members: dns and lan exclude each other'],
    [{ members: { dns: 'dfstore-mesh' } }, "mesh.members.dns: 'dfstore-mesh' is not a name with a port"],
    [{ members: { redis: 'http://user:hidden@redis' } }, 'mesh.members.redis: must be a URL like redis://host:6379'],
    [{ members: other }, 'mesh.members.static: does not name this gateway, 10.0.0.7:9002; every gateway has the same'],
    [{ role: 'peer' }, 'mesh.members.static: names this gateway, 10.0.0.7:9002, whose mesh.role is peer'],
    [{ members: { static: ['10.0.0.7:9002', '10.0.0.8'] } }, "mesh.members.static: '10.0.0.8' is not an address"],
    [{ listen: '10.0.0.7:0', members: { static: [] } }, 'mesh.members.static: must name at least one gateway'],
    [{ secret: undefined }, 'mesh.secret: gateways must prove themselves to each other; set a secret'],
    [{ secret: 'fifteen letters' }, 'mesh.secret: must have at least 16 characters'],
    [{ tls: { cert: 'c.pem' } }, 'mesh.tls: cert, key and ca belong together; key, ca missing'],
    [{ refresh: 0 }, 'mesh.refresh: must not be 0'],
    [{ progress: '600ms' }, 'mesh.silence: must be at least three times mesh.progress'],
    [{ heartbeat: '800ms' }, 'mesh.silenceTimeout: must be at least twice mesh.heartbeat'],
    [{ memberTtl: '2s' }, 'mesh.memberTtl: must be at least three times mesh.refresh'],
    [{ maxBody: '1KiB' }, 'mesh.maxBody: must be at least 64KiB'],
  ])('%j is refused', (settings, expected) => {
    const problems = problemsOf(mesh(settings));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(expected);
    expect(problems[0]).not.toContain('hidden');
  });

  test('without a cache there is no mesh: such a gateway would leave old answers with the others', () => {
    const [problem, ...others] = problemsOf(JSON.stringify({ ...JSON.parse(mesh()), cache: { enabled: false } }));
    expect(problem).toContain('mesh.listen: a gateway with cache.enabled false has nothing to share');
    expect(others).toEqual([]);
  });

  test('what has no effect without a mesh is refused, each setting by its name', () => {
    const problems = problemsOf(mesh({ listen: undefined, advertise: '10.0.0.7:9002', tls }));
    expect(problems.map((problem) => problem.split(':')[0])).toEqual(
      ['advertise', 'members', 'secret', 'tls.cert', 'tls.key', 'tls.ca'].map((name) => `mesh.${name}`),
    );
    expect(problems[0]).toContain('without mesh.listen there is no mesh');
  });

  test('neither the secret nor the password of Redis is in what is shown', () => {
    const { config } = load(mesh({ members: { redis: 'redis://:hidden@redis:6379' } }));
    const shown = JSON.stringify(redactConfig(config));
    expect(shown).not.toContain(SECRET);
    expect(shown).toContain('redis://:(redacted)@redis:6379');
  });
});

describe('secrets', () => {
  test('no secret is in what is shown', () => {
    const env = {
      ADMIN: 'secret-admin',
      OSS_ID: 'id',
      OSS_SECRET: 'secret-oss',
      DFSTORE_SECRET_ACCESS_KEY: 'secret-env',
    };
    const { config } = load(CONTRACT, { ...env, DFSTORE_ACCESS_KEY_ID: 'shown' });
    const shown = JSON.stringify(redactConfig(config));
    expect(shown).not.toContain('secret-');
    expect(shown).toContain('shown');
    expect(shown).toContain('https://reader:(redacted)@files.example.com/');
  });

  test('no secret is in what is said of mistakes', () => {
    const yaml =
      'auth: { credentials: [{ accessKeyId: a, secretAccessKey: secret-x, rulez: [] }] }\nadmin: { token: [secret-y] }';
    expect(problemsOf(yaml)).toHaveLength(2);
    expect(problemsOf(yaml).join()).not.toContain('secret-');
    expect(problemsOf('admin: { token: secret-z\nlisten: [').join()).not.toContain('secret-');
  });
});

const CONTRACT = `
data: ./dfstore-data
listen: 127.0.0.1:9000
admin: { listen: 127.0.0.1:9001, token: \${ADMIN} }
domain: s3.example.internal
auth:
  credentials:
    - { name: trainer, account: ml, accessKeyId: AKTRAINER, secretAccessKey: secret-trainer, rules: [{ allow: [read, list], buckets: [models/*] }] }
  anonymous: []
  allowSigV2: true
backends:
  local: { type: fs, root: ./dfstore-data/objects }
  main:  { type: s3, endpoint: https://s3.eu-central-1.amazonaws.com, region: eu-central-1, accessKeyId: AK, secretAccessKey: secret-s3, sessionToken: secret-session, pathStyle: true }
  oss:   { type: oss, region: oss-cn-hangzhou, accessKeyId: \${OSS_ID}, accessKeySecret: \${OSS_SECRET}, stsToken: secret-sts }
  obs:   { type: obs, endpoint: "https://obs.example.com", accessKeyId: AK, secretAccessKey: secret-obs, securityToken: secret-token }
  files: { type: http, endpoint: "https://reader:secret-url@files.example.com/", headers: { authorization: secret-header }, password: secret-password }
  hdfs:  { type: webhdfs, namenodes: ["http://nn1:9870"], delegationToken: secret-delegation }
buckets:
  models: { backend: main, bucket: corp-models, prefix: prod/, freshness: 30s, missingFreshness: 0s, staleIfError: 0s, writeMode: write-through, replicas: 2 }
  frozen: { backend: main, freshness: immutable }
  "*":    { backend: local }
cache: { enabled: true, capacity: 50GiB, memory: 512MiB, pieceSize: 4MiB, blockSize: 256KiB, verify: first, disks: [./dfstore-data/cache] }
`;
