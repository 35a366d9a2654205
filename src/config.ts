// Every setting, one row each: its place in the file is its path here, its flag and its environment variable follow
// from the path (limits.headerBytes: --limits-header-bytes, DFSTORE_LIMITS_HEADER_BYTES). What is not in the file is
// taken from here. Settings of single backends and buckets are in config/backend-settings.ts and
// config/bucket-settings.ts; reading, checking and precedence in config/load-config.ts.
import { z } from 'zod';
import { anonymousSchema, credentialsSchema } from './config/access-settings.ts';
import { type BackendConfig, backendsSchema } from './config/backend-settings.ts';
import { type BucketConfig, bucketsSchema } from './config/bucket-settings.ts';
import { knownNamesOnly } from './config/section-schema.ts';
import {
  address,
  type ConfigOf,
  choice,
  count,
  duration,
  flag,
  optionalAddress,
  optionalPath,
  optionalText,
  path,
  size,
  structure,
  text,
  textSchema,
} from './config/setting.ts';

const peers = z.array(textSchema).readonly().optional();

export const SETTINGS = {
  data: path('./dfstore-data', 'Directory for everything the gateway keeps'),
  listen: address('127.0.0.1:9000', 'Address of the S3 endpoint'),
  domain: optionalText('Host name under which buckets are subdomains (virtual-host style)'),
  shutdownTimeout: duration('30s', 'How long requests in flight may take to finish when told to stop'),

  admin: {
    listen: address('127.0.0.1:9001', 'Address of health, status and metrics'),
    token: optionalText('Bearer token for the admin port; without it: reading only, and only on loopback', {
      secret: true,
    }),
    checkInterval: duration('30s', 'Time between two checks of a backend'),
    checkTimeout: duration('10s', 'How long a check may take, and how long /readyz waits for the first'),
    members: count(1_024, 'Other gateways of the mesh that a status, or a preheat, asks how they do'),
    membersAtOnce: count(64, 'Of those, asked at once; also how many gateways a preheat has at work at once'),
    preheatReads: count(2, 'Objects that this gateway reads at once for preheats'),
  },

  tls: {
    cert: optionalPath('PEM file of the certificate chain; with it the S3 endpoint speaks https'),
    key: optionalPath('PEM file of its private key'),
    reloadInterval: duration('5s', 'How often the files of certificates are looked at, those of mesh.tls too'),
  },

  auth: {
    credentials: structure(
      credentialsSchema,
      'A JSON file of credentials, reloaded when it changes, or the list itself',
    ),
    reloadInterval: duration('5s', 'How often the file of credentials is looked at'),
    maxSkew: duration('15m', "How far a client's clock may be from this one"),
    accessKeyId: optionalText('A key beside those of auth.credentials', { env: 'DFSTORE_ACCESS_KEY_ID' }),
    secretAccessKey: optionalText('Its secret', { env: 'DFSTORE_SECRET_ACCESS_KEY', secret: true }),
    anonymous: structure(anonymousSchema, 'Rules for requests without a signature'),
    allowSigV2: flag(true, 'Accept signature version 2 in presigned URLs and POST policies'),
  },

  backends: structure(backendsSchema, 'Origins by name; one directory below data when absent'),
  buckets: structure(bucketsSchema, 'Which backend holds which bucket; * stands for every other bucket'),

  cache: {
    enabled: flag(true, 'Keep pieces of what is read'),
    capacity: size('50GiB', 'Disk for pieces, over all disks'),
    memory: size('512MiB', 'Memory for pieces'),
    pieceSize: size('4MiB', 'The unit that is fetched, kept and shared'),
    blockSize: size('256KiB', 'The unit that is verified'),
    verify: choice(['first', 'always'], 'first', 'When bytes from disk are verified'),
    disks: structure(z.array(textSchema).readonly().optional(), 'Directories for pieces; one below data when absent'),
    inFlight: size('256MiB', 'Memory for what is on its way from origins, all readers together'),
    window: size('1MiB', 'Memory for one piece that is on its way'),
    maxArriving: count(1024, 'Pieces on their way at once'),
    parallelPieces: count(4, 'Pieces of one read on their way at once'),
    readAhead: size('16MiB', 'How far ahead of a sequential reader to fetch; 0 for never'),
    fillAttempts: count(3, 'Origin requests in a row that may bring nothing before a read fails'),
    fillRetryTime: duration('30s', 'How long after its last byte a broken origin read is taken up again'),
    names: count(100_000, 'Object records in memory'),
    staging: size('8MiB', 'Memory for one upload on its way to the cache'),
    stagingPatience: duration('2s', 'How long one upload waits for slow cache disks in all'),
    scrub: size('8MiB', 'Bytes of the cache verified in the background each second; 0 for none'),
  },

  mesh: {
    listen: optionalAddress('Address for other gateways; without it there is no mesh'),
    advertise: optionalAddress('Where other gateways reach this one, and its name among them; mesh.listen when absent'),
    members: structure(
      knownNamesOnly({
        static: peers,
        dns: textSchema.optional(),
        redis: textSchema.optional(),
        lan: z.boolean('must be true or false').optional(),
      })
        .readonly()
        .optional(),
      'How gateways find each other: static, dns, redis or lan',
    ),
    secret: optionalText('What gateways of one mesh prove themselves with', { secret: true }),
    tls: {
      cert: optionalPath('PEM file of the certificate shown to other gateways'),
      key: optionalPath('PEM file of its private key'),
      ca: optionalPath('PEM file of the authorities that other gateways are checked against'),
    },
    zone: optionalText('Where this gateway is; pieces come from the same zone first'),
    zoneLevel: choice(
      ['auto', 'on', 'off'],
      'auto',
      'Whether a zone keeps track of its pieces itself, so that each comes into it once; auto: from 256 trackers on',
    ),
    role: choice(['tracker', 'peer', 'seed'], 'tracker', 'What it does for others'),
    nameLease: duration('3s', 'How long a name may be served without asking its owner'),
    parallelPieces: count(
      16,
      'In place of cache.parallelPieces; where more gateways keep track, as many as they are, up to twice this',
    ),
    leases: count(4, 'Pieces of one GiB that one gateway reads from the origin at once while others want them too'),
    uploadSlots: count(32, 'Pieces that trackers let one gateway give at once'),
    maxUploads: count(128, 'Pieces that this gateway gives at once; one more is sent elsewhere'),
    silence: duration(
      '1500ms',
      'After this time without a word a gateway brings a piece no more; who reads the origin is asked first',
    ),
    progress: duration(
      '500ms',
      'How often trackers are told that pieces are still on their way; half as often where they come slowly',
    ),
    longPoll: duration('10s', 'How long a tracker lets a gateway wait for word of a piece'),
    patience: duration(
      '1s',
      'How long another gateway may take to answer a plain question; up to five times as long where answers are slow',
    ),
    markTtl: duration('30s', 'After this time without its end a write is taken to have stopped half way'),
    validatorTtl: duration('10s', 'After this time somebody else asks the origin what a name stands for'),
    slabs: count(100_000, 'Groups of 256 pieces that this gateway keeps track of for others'),
    trackedMembers: count(
      32_768,
      'Gateways of which it remembers how they do; those not heard of for longest go first',
    ),
    refresh: duration('1s', 'Time between two looks at the list of gateways'),
    membersTimeout: duration('2s', 'How long such a look may take'),
    memberTtl: duration('15s', 'How long a gateway that died stays on the list in Redis or on the local network'),
    registryKey: text('dfstore:trackers', 'Name of the list in Redis; each mesh has its own'),
    firstContact: duration('5s', 'How long readiness waits for the first list of gateways'),
    skew: duration('60s', "How far another gateway's clock may be from this one, where a secret proves requests"),
    connectTimeout: duration(
      '800ms',
      'How long a connection to another gateway may take to come about; longer in the same way as mesh.patience',
    ),
    handshakeTimeout: duration('1s', 'How long its TLS handshake may take'),
    headersTimeout: duration('10s', 'How long another gateway may take to send the headers of a request'),
    linesTimeout: duration(
      '800ms',
      'How long a tracker that is asked to wait may take to show that it is there; longer in the same way',
    ),
    bytesTimeout: duration('2s', 'How long another gateway may take to begin with the bytes of a piece'),
    heartbeat: duration('300ms', 'How often a tracker says that it is still there while it has no answer yet'),
    silenceTimeout: duration('1500ms', 'How long a tracker that is waited for may say nothing; longer in the same way'),
    maxBody: size('1MiB', 'Size of what one gateway asks another'),
    maxAnswer: size('8MiB', 'Size of an answer, or of one of its lines; pieces are no answers'),
    connections: count(8_192, 'Connections of other gateways; a request on one more is refused, and made elsewhere'),
    requests: count(8_192, 'Requests of other gateways in flight, those that wait included; one more is refused'),
    requestsPerMember: count(256, 'Of those, from one gateway, and to one gateway'),
    requestRate: count(5_000, 'Requests of one gateway in a second; one more is refused, and made elsewhere'),
    idle: count(64, 'Connections to one gateway that are kept for the next request'),
    senders: count(16_384, 'Gateways that may ask this one within twice mesh.skew, where a secret proves requests'),
  },

  limits: {
    connections: count(1_024, 'Client connections; one more is answered 503 SlowDown'),
    requests: count(256, 'Requests in flight; one more is answered 503 SlowDown'),
    requestsPerKey: count(128, 'Requests in flight of one access key; one more is answered 503 SlowDown'),
    headerBytes: size('16KiB', 'Size of the headers of a request'),
    xmlBytes: size('2MiB', 'Size of an XML document in a request'),
    formBytes: size('20KiB', 'Size of what comes before the file in a form that a browser posts'),
    formFields: count(200, 'Fields of such a form'),
    formMemory: size('256KiB', 'Forms up to this size are held in memory; larger ones must have their file last'),
    headersTimeout: duration('30s', 'How long a client may take to send the headers of a request'),
    bodyTimeout: duration('30s', 'How long a client may send no byte of a body that is waited for'),
    answerTimeout: duration('2m', 'How long a client may take no byte of its answer'),
    idleTimeout: duration('65s', 'How long a connection is kept for the next request'),
    slowAnswerDelay: duration('10s', 'After this time long operations begin to answer, so that clients keep waiting'),
  },

  log: {
    level: choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'info', 'How much is logged'),
    requests: flag(false, 'Log a line for each request'),
  },
} as const;

type Parsed = ConfigOf<typeof SETTINGS>;

/** The effective configuration: complete, checked and frozen. Durations are milliseconds, sizes bytes. */
export type Config = Omit<Parsed, 'backends' | 'buckets'> & {
  readonly backends: Readonly<Record<string, BackendConfig>>;
  readonly buckets: Readonly<Record<string, BucketConfig>>;
};

export type { BackendConfig, BucketConfig };
