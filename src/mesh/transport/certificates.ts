// What certificates prove: that a gateway has one of the mesh's authority, and that it is the one at the host that its
// identity names. Subject alternative names only; a common name proves nothing.
import type { IncomingMessage } from 'node:http';
import { checkServerIdentity, type PeerCertificate, TLSSocket } from 'node:tls';
import type { MemberId } from '../member.ts';
import { memberAddress } from '../member-address.ts';

/** PEM. */
export interface MeshTls {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  readonly ca: string | Buffer;
}

/** Undefined: the certificate is for this host. The form that node:tls asks for. */
export function certificateProblem(host: string, certificate: PeerCertificate): Error | undefined {
  if (!certificate.subjectaltname) return noNames();
  return checkServerIdentity(host, certificate);
}

/** Which identities a connection's certificate allows; looked at once a connection and identity. */
export class CertificateIdentities {
  readonly #proved = new WeakMap<TLSSocket, MemberId>();

  isProved(req: IncomingMessage, id: MemberId): boolean {
    const socket = req.socket;
    if (!(socket instanceof TLSSocket) || !socket.authorized) return false;
    if (this.#proved.get(socket) === id) return true;
    const host = memberAddress(id)?.host;
    if (host === undefined || certificateProblem(host, socket.getPeerCertificate()) !== undefined) return false;
    this.#proved.set(socket, id);
    return true;
  }
}

function noNames(): Error {
  const error = new Error('The certificate has no subject alternative names.');
  return Object.assign(error, { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
}
