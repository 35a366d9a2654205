// The settings of the mesh port as its two sides take them.
import type { Config } from '../config.ts';
import type { MeshTls } from '../mesh/transport/certificates.ts';
import type { HttpMeshClientOptions } from '../mesh/transport/http-mesh-client.ts';
import type { MeshServerOptions } from '../mesh/transport/mesh-server.ts';

/** Of a configuration with mesh.listen. */
export function meshServerOptions({ mesh }: Config, tls: MeshTls | undefined): MeshServerOptions {
  const { host, port } = mesh.listen ?? { host: '127.0.0.1', port: 0 };
  return {
    host,
    port,
    tls,
    secret: mesh.secret,
    maxConnections: mesh.connections,
    headersTimeoutMs: mesh.headersTimeout,
    skewMs: mesh.skew,
    maxBodyBytes: mesh.maxBody,
    heartbeatMs: mesh.heartbeat,
    maxSenders: mesh.senders,
    maxRequests: mesh.requests,
    maxRequestsPerMember: mesh.requestsPerMember,
    maxRequestsPerSecond: mesh.requestRate,
  };
}

/** Nobody waits for what trackers are told, and one that is busy is not to be taken for dead because of it. */
export function tellMs({ patience }: Config['mesh']): number {
  return 3 * patience;
}

export function meshClientOptions({ mesh }: Config, tls: MeshTls | undefined): HttpMeshClientOptions {
  const revokingMs = 2 * (mesh.nameLease + mesh.patience);
  const toldMs = tellMs(mesh);
  return {
    secret: mesh.secret,
    tls,
    connectTimeoutMs: mesh.connectTimeout,
    handshakeTimeoutMs: mesh.handshakeTimeout,
    askTimeoutMs: mesh.patience,
    // A write has begun when nobody believes what was there before, which may take until the last lease has run out;
    // so has its end, should its mark have lapsed.
    callTimeoutsMs: {
      'name-begin': revokingMs,
      'name-end': revokingMs,
      announce: toldMs,
      forget: toldMs,
      progress: toldMs,
    },
    linesTimeoutMs: mesh.linesTimeout,
    bytesTimeoutMs: mesh.bytesTimeout,
    silenceTimeoutMs: mesh.silenceTimeout,
    maxAnswerBytes: mesh.maxAnswer,
    maxCallsPerMember: mesh.requestsPerMember,
    maxIdlePerMember: mesh.idle,
  };
}

/** Undefined where no certificates are configured. */
export function meshTlsFiles({ mesh: { tls } }: Config): Readonly<Record<keyof MeshTls, string>> | undefined {
  const { cert, key, ca } = tls;
  return cert === undefined || key === undefined || ca === undefined ? undefined : { cert, key, ca };
}
