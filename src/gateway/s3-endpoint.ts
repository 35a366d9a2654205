// The S3 endpoint over its objects, with the limits of the configuration.
import { readFile } from 'node:fs/promises';
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
  const server = await S3Server.open({ api, log, onLimit }, await serverOptions(config));
  metrics.sample('dfstore_s3_requests_in_flight', () => admission.inFlight);
  metrics.sample('dfstore_s3_connections', () => server.connections);
  return { server, admission };
}

async function serverOptions({ listen, tls, limits }: Config): Promise<S3ServerOptions> {
  const files =
    tls.cert === undefined || tls.key === undefined
      ? undefined
      : { cert: await readFile(tls.cert), key: await readFile(tls.key) };
  return {
    ...listen,
    tls: files,
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
