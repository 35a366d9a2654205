// One request until the headers of its answer, each step with its limit: connecting, the TLS handshake, the headers.
import type { IncomingMessage } from 'node:http';
import { afterPatience } from '../../concurrency/patience.ts';
import { memberIdAt } from '../member-address.ts';
import { MeshError } from '../transport.ts';
import type { MemberSockets, Outgoing } from './member-sockets.ts';

interface SendLimits {
  readonly connectTimeoutMs: number;
  readonly handshakeTimeoutMs: number;
  readonly headersTimeoutMs: number;
}

export interface Sent extends Outgoing {
  readonly body: string;
  readonly limits: SendLimits;
  /** What follows the headers of the answer waits in the socket's tap. */
  readonly holdsBody: boolean;
}

/** A kept connection turned out to be closed before anything of an answer came. */
export class StaleConnection extends MeshError {}

/** Its errors are listened to; consume it or destroy it. Rejects with MeshError or the signal's reason. */
export function sendRequest(sockets: MemberSockets, request: Sent, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const who = memberIdAt(request.address);
    const { connectTimeoutMs, handshakeTimeoutMs, headersTimeoutMs } = request.limits;
    const sent = sockets.request(request);
    let endLimit: () => void = () => undefined;
    const stop = () => {
      endLimit();
      signal.removeEventListener('abort', leave);
    };
    const giveUp = (error: unknown) => {
      stop();
      reject(error);
      sent.destroy();
    };
    const leave = () => giveUp(signal.reason);
    const limit = (limitMs: number, what: string) => {
      endLimit();
      endLimit = afterPatience(limitMs, () =>
        giveUp(new MeshError('Unreachable', `${who} ${what} within ${limitMs} ms.`)),
      );
    };
    const awaitHeaders = () => limit(headersTimeoutMs, 'gave no answer');
    sent.once('socket', (socket) => {
      if (request.holdsBody) sockets.tapOf(socket).holdBody();
      if (!socket.connecting) {
        awaitHeaders();
        return;
      }
      limit(connectTimeoutMs, 'accepted no connection');
      socket.once(
        'connect',
        sockets.secure ? () => limit(handshakeTimeoutMs, 'did not finish the handshake') : awaitHeaders,
      );
      socket.once('secureConnect', awaitHeaders);
    });
    sent.on('error', (cause: NodeJS.ErrnoException) => {
      stop();
      reject(sent.reusedSocket && isReset(cause) ? stale(who, cause) : failure(who, cause));
    });
    sent.once('response', (res: IncomingMessage) => {
      stop();
      res.on('error', () => undefined);
      resolve(res);
    });
    signal.addEventListener('abort', leave, { once: true });
    sent.end(request.body, 'utf8');
  });
}

function isReset({ code }: NodeJS.ErrnoException): boolean {
  return code === 'ECONNRESET' || code === 'EPIPE';
}

function stale(who: string, cause: Error): StaleConnection {
  return new StaleConnection('Unreachable', `${who} closed a kept connection.`, { cause });
}

/** Certificates that are not those of the mesh, on either side, are refusals; all else is a matter of reach. */
function failure(who: string, cause: NodeJS.ErrnoException): MeshError {
  const code = cause.code ?? '';
  if (/CERT|SELF_SIGNED|UNABLE_TO|^ERR_SSL_/.test(code)) {
    return new MeshError(
      'Refused',
      `${who} and this gateway do not accept each other's certificates: ${cause.message}`,
      {
        cause,
      },
    );
  }
  return new MeshError('Unreachable', `${who} cannot be reached: ${cause.message}`, { cause });
}
