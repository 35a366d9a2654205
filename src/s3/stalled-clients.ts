// Clients that stop: in the middle of sending a body that is waited for, or in the middle of taking an answer. The
// socket's own timer is used, which knows of bytes both ways and of a long write's progress; when it fires, whose turn
// it was decides. An origin that is slow is nobody's fault here.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export interface StallLimits {
  readonly bodyTimeoutMs: number;
  readonly answerTimeoutMs: number;
}

export interface StallActions {
  /** The client sends nothing more of its body. */
  readonly bodyStalled: () => void;
  /** The client takes nothing more of its answer. */
  readonly answerStalled: () => void;
}

export function watchForStalls(
  request: IncomingMessage,
  response: ServerResponse,
  limits: StallLimits,
  actions: StallActions,
): void {
  const { socket } = request;
  let limitMs = hasBody(request) ? limits.bodyTimeoutMs : limits.answerTimeoutMs;
  const arm = (): void => void socket.setTimeout(limitMs);
  arm();
  if (hasBody(request)) {
    request.on('newListener', (name) => {
      if (name === 'data' || name === 'readable') arm();
    });
    request.once('end', () => {
      limitMs = limits.answerTimeoutMs;
      // After the answer the timer counts the connection's idle time.
      if (!response.writableFinished) arm();
    });
  }
  /** How many bytes had come when nobody was to blame; what is awaited may be so only since. */
  let excusedAtBytes = -1;
  response.on('timeout', () => {
    if (isBodyAwaited(request) && excusedAtBytes !== socket.bytesRead) actions.bodyStalled();
    else if (isAnswerWaiting(socket) && limitMs === limits.answerTimeoutMs) actions.answerStalled();
    else {
      excusedAtBytes = isBodyAwaited(request) ? -1 : socket.bytesRead;
      if (isAnswerWaiting(socket)) limitMs = limits.answerTimeoutMs;
      arm();
    }
  });
}

function isAnswerWaiting(socket: Socket): boolean {
  return socket.writableLength > 0;
}

/** Somebody reads, and there is nothing to read. */
function isBodyAwaited(request: IncomingMessage): boolean {
  return !request.complete && request.readableFlowing !== null && request.readableLength === 0;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
