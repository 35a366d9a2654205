// How a request of this protocol leaves the gateway: a wire signs it (with its origin's own SDK) and sends it.
// What a request says, and what an answer means, is decided above (origin-client.ts).
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';

export interface SizedBody {
  readonly sizeBytes: number;
  readonly stream: Readable;
  /** Sees every chunk as it is sent. */
  readonly tap?: ((chunk: Uint8Array) => void) | undefined;
}

export interface WireRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** Absent: the service itself. */
  readonly bucket?: string | undefined;
  readonly key?: string | undefined;
  /** '' stands for a name without a value ('uploads'). */
  readonly query?: Readonly<Record<string, string>> | undefined;
  /** Values as they go over the line: bytes as Latin-1. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: SizedBody | undefined;
}

export interface Wire {
  /**
   * Resolves with whatever was answered, its body unread: the caller consumes or destroys it. Rejects with a
   * BackendError, the signal's reason, or the very error the body's stream was destroyed with.
   */
  send(request: WireRequest, signal: AbortSignal): Promise<IncomingMessage>;
  close(): void;
}
