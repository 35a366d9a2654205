// The S3 endpoint over its objects, with the limits of the configuration.
import type { Logger } from 'pino';
import type { Metrics } from '../admin/metrics.ts';
import type { Config } from '../config.ts';
import type { BucketSettings } from '../objects/bucket-settings.ts';
import type { Objects } from '../objects/objects.ts';
import { Admission } from '../s3/admission.ts';
import { Authenticator } from '../s3/auth/authenticate.ts';
import type { CredentialStore } from '../s3/auth/credentials.ts';
import { S3Api } from '../s3/s3-api.ts';
import { S3Server, type S3ServerOptions } from '../s3/s3-server.ts';
import { openCertificates } from './certificates.ts';
import { observeRequests } from './observe.ts';

interface S3EndpointDeps {
  readonly objects: Objects;
  readonly settings: BucketSettings;
  readonly credentials: CredentialStore;
  readonly log: Logger;
  readonly metrics: Metrics;
}

export interface S3Endpoint {
  readonly server: S3Server;
  readonly admission: Pick<Admission, 'inFlight'>;
  close(): Promise<void>;
}

export async function openS3Endpoint(config: Config, deps: S3EndpointDeps): Promise<S3Endpoint> {
  const { log, metrics } = deps;
  const { auth, limits } = config;
  const onLimit = (limit: string) => metrics.count('dfstore_s3_limited_total', { limit });
  const admission = new Admission({
    maxRequests: limits.requests,
    maxRequestsPerKey: limits.requestsPerKey,
    onRefused: onLimit,
  });
  const authenticator = new Authenticator(
    { credentials: deps.credentials, now: () => new Date() },
    { anonymous: auth.anonymous, maxSkewMs: auth.maxSkew, allowSigV2: auth.allowSigV2 },
  );
  const observer = observeRequests(metrics, config.log.requests ? log : undefined);
  const api = new S3Api(
    { objects: deps.objects, settings: deps.settings, authenticator, admission, log, observer },
    {
      domain: config.domain,
      maxXmlBytes: limits.xmlBytes,
      form: { maxFormBytes: limits.formBytes, maxFormFields: limits.formFields, wholeFormBytes: limits.formMemory },
      lateAnswerMs: limits.slowAnswerDelay,
    },
  );
  const certificates = await openTls(config, { log, renewed: (pem) => server.renew(pem) });
  const server = await S3Server.open({ api, log, onLimit }, serverOptions(config, certificates?.current));
  metrics.sample('dfstore_s3_requests_in_flight', () => admission.inFlight);
  metrics.sample('dfstore_s3_connections', () => server.connections);
  return {
    server,
    admission,
    close: async () => {
      await certificates?.close();
      await server.close(config.shutdownTimeout);
    },
  };
}

async function openTls(
  { tls: { cert, key, reloadInterval } }: Config,
  deps: { log: Logger; renewed: (pem: NonNullable<S3ServerOptions['tls']>) => void },
) {
  if (cert === undefined || key === undefined) return undefined;
  return openCertificates(deps, { setting: 'tls', files: { cert, key }, checkIntervalMs: reloadInterval });
}

function serverOptions({ listen, limits }: Config, tls: S3ServerOptions['tls']): S3ServerOptions {
  return {
    ...listen,
    tls,
    limits: {
      maxConnections: limits.connections,
      maxHeaderBytes: limits.headerBytes,
      headersTimeoutMs: limits.headersTimeout,
      bodyTimeoutMs: limits.bodyTimeout,
      answerTimeoutMs: limits.answerTimeout,
      keepAliveMs: limits.idleTimeout,
    },
  };
}
