// Certificates of a mesh: an authority, and gateways' certificates for the hosts that a test names.
import { generate } from 'selfsigned';
import type { MeshTls } from '../../src/mesh/transport/certificates.ts';

export interface MeshAuthority {
  readonly pem: string;
  /** Hosts are IPv4 addresses or DNS names; none: a certificate without subject alternative names. */
  issue(hosts: readonly string[]): Promise<MeshTls>;
}

export async function makeAuthority(name: string): Promise<MeshAuthority> {
  const authority = await generate([{ name: 'commonName', value: name }], {
    keySize: 2048,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  return {
    pem: authority.cert,
    issue: async (hosts) => {
      const altNames = hosts.map((host) =>
        /^[\d.]+$/.test(host) ? ({ type: 7, ip: host } as const) : ({ type: 2, value: host } as const),
      );
      const made = await generate([{ name: 'commonName', value: hosts[0] ?? '127.0.0.1' }], {
        keySize: 2048,
        ca: { key: authority.private, cert: authority.cert },
        extensions: [
          { name: 'basicConstraints', cA: false },
          { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
          ...(altNames.length === 0 ? [] : [{ name: 'subjectAltName', altNames } as const]),
        ],
      });
      return { cert: made.cert, key: made.private, ca: authority.cert };
    },
  };
}
