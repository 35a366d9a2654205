// Every setting of every kind of backend, one row each, under `backends.<name>`; `type` says which kind.
import { z } from 'zod';
import { knownNamesOnly, shapeOf } from './section-schema.ts';
import {
  type ConfigOf,
  choice,
  count,
  duration,
  flag,
  optionalPath,
  optionalText,
  requiredText,
  type Setting,
  type Settings,
  size,
  sizeSchema,
  structure,
  textSchema,
} from './setting.ts';

/** What every origin on a network has. */
const ORIGIN_LIMITS = {
  connectTimeout: duration('3s', 'From the first packet to the end of the TLS handshake'),
  idleTimeout: duration('120s', 'How long a request may go without a byte either way'),
  maxRequests: count(256, 'Requests to this origin at a time, bodies being read included'),
  maxQueued: count(1_024, 'Requests that wait for their turn; more are refused with SlowDown', 0),
  bytesPerSecond: structure(sizeSchema.optional(), 'Bytes per second, both ways together; unlimited when absent'),
  retries: count(2, 'Further attempts of what can be repeated safely', 0),
  retryDelay: duration('100ms', 'The pause before the second attempt; later ones grow'),
  failuresToOpen: count(5, 'Failures in a row after which requests fail at once'),
  openTime: duration('1s', 'How long they do, before one is tried; doubles with each that fails'),
  openTimeMax: duration('30s', 'The longest time between two tries'),
  ca: optionalPath("PEM file of certificate authorities, in place of the system's"),
} as const;

const secret = (help: string) => optionalText(help, { secret: true });
const requiredSecret = (help: string) => requiredText(help, { secret: true });
const url = (help: string) => structure(urlSchema, help);

const urlSchema = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' });
const textsSchema = z.array(textSchema).readonly();

const BACKEND_SETTINGS = {
  fs: {
    root: requiredText('Directory that holds the objects'),
    fsync: flag(true, 'Acknowledge only what is on the disk'),
    reserve: size('64MiB', 'Free space below which writes are refused, so that deletes have room'),
  },
  s3: {
    endpoint: structure(urlSchema.optional(), "The store's URL; Amazon's own when absent"),
    region: optionalText('Region to sign for'),
    accessKeyId: optionalText("Absent: the SDK's own chain (environment, profile, instance role)"),
    secretAccessKey: secret('Belongs to accessKeyId'),
    sessionToken: secret('Belongs to temporary credentials'),
    pathStyle: structure(z.boolean('must be true or false').optional(), 'Bucket in the path, not in the host name'),
    ...ORIGIN_LIMITS,
  },
  oss: {
    region: requiredText('Like oss-cn-hangzhou'),
    endpoint: structure(urlSchema.optional(), "In place of the region's own"),
    internal: flag(false, 'Use the endpoint inside Alibaba Cloud'),
    accessKeyId: requiredText('Access key ID'),
    accessKeySecret: requiredSecret('Access key secret'),
    stsToken: secret('Belongs to temporary credentials'),
    ...ORIGIN_LIMITS,
  },
  obs: {
    endpoint: url("The region's endpoint, like https://obs.eu-west-101.myhuaweicloud.eu"),
    region: optionalText('Where buckets are made'),
    accessKeyId: requiredText('Access key ID'),
    secretAccessKey: requiredSecret('Secret access key'),
    securityToken: secret('Belongs to temporary credentials'),
    signature: choice(['obs', 'v2'], 'obs', 'v2 for stores that speak S3 only'),
    pathStyle: flag(false, 'Bucket in the path, not in the host name'),
    ...ORIGIN_LIMITS,
  },
  http: {
    endpoint: url('The URL under which the files are'),
    headers: structure(z.record(z.string(), textSchema).readonly().optional(), 'Sent with every request', {
      secret: true,
    }),
    username: optionalText('For HTTP Basic authentication'),
    password: secret('For HTTP Basic authentication'),
    redirectHosts: structure(textsSchema.optional(), 'Hosts that answers may redirect to, beside the endpoint itself'),
    maxRedirects: count(5, 'Redirects followed for one request', 0),
    ...ORIGIN_LIMITS,
  },
  webhdfs: {
    namenodes: structure(z.array(urlSchema).min(1).readonly(), 'URLs of the namenodes; the active one is found'),
    root: optionalText('The directory that is the bucket; / when absent'),
    user: optionalText('User name, for clusters without security'),
    delegationToken: secret('Delegation token, for clusters with it'),
    namenodeTimeout: duration('10s', 'How long a namenode may be silent before the next is asked'),
    datanodes: structure(textsSchema.optional(), 'Hosts that reads may be sent to: names, *.globs, or CIDR ranges'),
    ...ORIGIN_LIMITS,
  },
} as const satisfies Record<string, Settings>;

export type BackendType = keyof typeof BACKEND_SETTINGS;

/** One backend as configured. Durations are milliseconds, sizes bytes. */
export type BackendConfig = {
  [Type in BackendType]: { readonly type: Type } & ConfigOf<(typeof BACKEND_SETTINGS)[Type]>;
}[BackendType];

const TYPES = Object.keys(BACKEND_SETTINGS);

const kinds = Object.entries(BACKEND_SETTINGS).map(([type, table]) =>
  knownNamesOnly({ type: z.literal(type), ...shapeOf(table) }),
);

const backendSchema: z.ZodType<unknown> = z
  .looseObject({ type: z.enum(TYPES, `must be one of ${TYPES.join(', ')}`) }, 'must be a map with a type')
  .pipe(z.discriminatedUnion('type', kinds as [(typeof kinds)[number], ...(typeof kinds)[number][]]));

export const backendsSchema = z
  .record(z.string(), backendSchema as z.ZodType<BackendConfig>, 'must be a map of backends by name')
  .readonly()
  .optional();

export function settingsOf(type: BackendType): readonly string[] {
  return Object.keys(BACKEND_SETTINGS[type]);
}

/** The settings of a backend that are never shown. */
export function secretsOf(type: BackendType): readonly string[] {
  const rows: readonly [string, Setting<unknown>][] = Object.entries(BACKEND_SETTINGS[type]);
  return rows.filter(([, row]) => row.secret === true).map(([name]) => name);
}
