// A whole gateway for a test: in this process, on free ports, over a directory that is gone afterwards.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import { generate } from 'selfsigned';
import { stringify } from 'yaml';
import { loadConfig } from '../../src/config/load-config.ts';
import { type Gateway, openGateway } from '../../src/gateway.ts';

export interface TestGatewayOptions {
  /** Over https, with a certificate of its own. */
  readonly tls?: boolean;
  /** As in the configuration file; ports, data and credentials are set already. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Default: nothing is logged. */
  readonly log?: Logger;
}

export interface TestGateway extends AsyncDisposable {
  readonly s3Url: string;
  readonly adminUrl: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** The certificate's file, where the gateway speaks https. */
  readonly caFile?: string;
  /** For clients as child processes: this gateway's key, and nothing of the machine's own configuration. */
  readonly awsEnvironment: Record<string, string>;
  readonly dataDir: string;
  /** On the same data and ports; `between` runs while it is closed. */
  restart(between?: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

const KEY = { accessKeyId: 'TESTACCESSKEY', secretAccessKey: 'test-secret-access-key' };

export async function startGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'dfstore-gateway-'));
  const dataDir = join(folder, 'data');
  const tls = options.tls === true ? await makeCertificate(folder) : undefined;
  const file = join(folder, 'dfstore.yaml');
  await writeFile(file, stringify(testConfig(dataDir, tls, options.config)));
  let gateway = await open(file, options.log);
  const { s3Url, adminUrl } = gateway;
  const restart = async (between?: () => Promise<void>) => {
    await gateway.close();
    await between?.();
    const addresses = { listen: new URL(s3Url).host, admin: { listen: new URL(adminUrl).host } };
    await writeFile(file, stringify(testConfig(dataDir, tls, { ...options.config, ...addresses })));
    gateway = await open(file, options.log);
  };
  const close = async () => {
    await gateway.close();
    await rm(folder, { recursive: true, force: true });
  };
  return {
    s3Url,
    adminUrl,
    ...KEY,
    ...(tls && { caFile: tls.cert }),
    awsEnvironment: {
      AWS_ACCESS_KEY_ID: KEY.accessKeyId,
      AWS_SECRET_ACCESS_KEY: KEY.secretAccessKey,
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_MAX_ATTEMPTS: '1',
    },
    dataDir,
    restart,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function open(file: string, log: Logger = pino({ level: 'silent' })): Promise<Gateway> {
  const { config } = loadConfig({ file, env: {} });
  return openGateway(config, { log, onFirstPair: () => undefined });
}

function testConfig(
  data: string,
  tls: { cert: string; key: string } | undefined,
  config: TestGatewayOptions['config'] = {},
): Record<string, unknown> {
  const { admin, auth, ...rest } = config;
  return {
    data,
    listen: '127.0.0.1:0',
    ...(tls && { tls }),
    ...rest,
    admin: { listen: '127.0.0.1:0', ...(admin as object | undefined) },
    auth: { credentials: [KEY], ...(auth as object | undefined) },
  };
}

async function makeCertificate(folder: string): Promise<{ cert: string; key: string }> {
  const made = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    extensions: [
      { name: 'basicConstraints', cA: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  await writeFile(files.cert, made.cert);
  await writeFile(files.key, made.private);
  return files;
}
