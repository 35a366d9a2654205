// A gateway of the bench, with limits that are not reached.
import type { Member } from '../../src/mesh/member.ts';
import type { HttpMeshClientOptions } from '../../src/mesh/transport/http-mesh-client.ts';
import type { MeshServerOptions } from '../../src/mesh/transport/mesh-server.ts';

export const SERVER_LIMITS: Omit<MeshServerOptions, 'host' | 'port'> = {
  maxConnections: 1_024,
  headersTimeoutMs: 10_000,
  skewMs: 60_000,
  maxBodyBytes: 1024 * 1024,
  heartbeatMs: 300,
  maxSenders: 10_000,
  maxRequests: 1_024,
  maxRequestsPerMember: 256,
  maxRequestsPerSecond: 1_000_000,
};

export const CLIENT_LIMITS: HttpMeshClientOptions = {
  connectTimeoutMs: 1_000,
  handshakeTimeoutMs: 1_000,
  askTimeoutMs: 10_000,
  linesTimeoutMs: 10_000,
  bytesTimeoutMs: 10_000,
  silenceTimeoutMs: 10_000,
  maxAnswerBytes: 8 * 1024 * 1024,
  maxCallsPerMember: 256,
  maxIdlePerMember: 64,
};

export function memberAt(port: number): Member {
  return {
    id: `127.0.0.1:${port}`,
    role: 'tracker',
    zone: 'a',
    incarnation: String(process.pid),
    key: 'A'.repeat(43),
  };
}
