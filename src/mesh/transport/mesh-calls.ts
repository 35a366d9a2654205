// From a request on the mesh port to its answer: who asks is settled first, then the body is read and the handler asked.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Member } from '../member.ts';
import { type CallName, type Handler, type Handlers, MeshError } from '../transport.ts';
import { type Admitted, Gatekeeper, Refusal } from './gatekeeper.ts';
import { writeMember } from './member-header.ts';
import { Occupancy, type OccupancyOptions } from './occupancy.ts';
import { callOf, OTHER_RUN, statusOf } from './protocol.ts';
import { parseJson, readBody } from './read-body.ts';
import type { Refusals } from './refusals.ts';
import { Reply, type ReplyFrom } from './reply.ts';
import { ResponseSink } from './response-sink.ts';
import { sendLines } from './send-lines.ts';
import { digestOf, SharedSecret } from './shared-secret.ts';

export interface MeshCallsDeps {
  /** What every answer says of this gateway. */
  readonly self: Member;
  readonly handlers: Handlers;
  /** Of this gateway's list of trackers, now. */
  readonly listHash: () => string;
  /** Somebody asked, and is who it says. */
  readonly onMember: (member: Member) => void;
  /** Somebody has another list. */
  readonly onListHash: (from: Member, hash: string) => void;
  readonly refusals: Refusals;
  readonly log: Pick<Logger, 'error'>;
}

export interface MeshCallsOptions extends OccupancyOptions {
  readonly secret?: string | undefined;
  /** How far a caller's clock may be from this one. */
  readonly skewMs: number;
  readonly maxBodyBytes: number;
  /** Between two signs of life of an answer in lines. */
  readonly heartbeatMs: number;
  /** Runs of gateways whose requests are told apart from replays, at once. */
  readonly maxSenders: number;
}

export class MeshCalls {
  readonly #deps: MeshCallsDeps;
  readonly #options: MeshCallsOptions;
  readonly #gatekeeper: Gatekeeper;
  readonly #occupancy: Occupancy;
  readonly #sender: ReplyFrom;

  constructor(deps: MeshCallsDeps, options: MeshCallsOptions & { readonly requireCertificate: boolean }) {
    if (options.secret === undefined && !options.requireCertificate) {
      throw new Error('A mesh needs a secret or certificates (mesh.secret, mesh.tls).');
    }
    const secret = options.secret === undefined ? undefined : new SharedSecret(options.secret);
    this.#deps = deps;
    this.#options = options;
    this.#gatekeeper = new Gatekeeper({ self: deps.self, secret, now: () => Date.now() }, options);
    this.#occupancy = new Occupancy(options, () => performance.now());
    this.#sender = { from: writeMember(deps.self), secret, listHash: deps.listHash };
  }

  get inFlight(): number {
    return this.#occupancy.inFlight;
  }

  /** Never fails: what goes wrong is the answer, or cuts it. */
  async handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const reply = new Reply(res, this.#sender);
    let caller: Member | undefined;
    try {
      const admitted = this.#admit(req, reply);
      if (admitted === undefined) return;
      caller = admitted.caller;
      const handler = this.#handlerOf(req);
      this.#occupancy.enter(caller.id);
      try {
        await this.#serve(handler, req, reply, admitted);
      } finally {
        this.#occupancy.leave(caller.id);
      }
    } catch (error) {
      this.#fail(req, reply, caller, error);
    }
  }

  /** Undefined: answered already. */
  #admit(req: IncomingMessage, reply: Reply): Admitted | undefined {
    if (req.method !== 'POST') throw new Refusal('call', 'Malformed', 'Calls of the mesh are POST requests.');
    const admitted = this.#gatekeeper.admit(req);
    reply.proveFor(admitted.proof?.mac);
    const { caller, listHash, forThisRun } = admitted;
    this.#deps.onMember(caller);
    if (listHash !== this.#deps.listHash()) this.#deps.onListHash(caller, listHash);
    if (forThisRun) return admitted;
    reply.whole(OTHER_RUN, { code: 'Unreachable', message: 'The request was for another run of this gateway.' });
    return undefined;
  }

  #handlerOf(req: IncomingMessage): Handler {
    const { handlers } = this.#deps;
    const name = callOf(req.url ?? '') ?? '';
    const handler = Object.hasOwn(handlers, name) ? handlers[name as CallName] : undefined;
    if (handler === undefined) throw new UnknownCall(name);
    return handler;
  }

  async #serve(handler: Handler, req: IncomingMessage, reply: Reply, { caller, proof }: Admitted): Promise<void> {
    const { res } = reply;
    const left = new AbortController();
    res.once('close', () => {
      if (!res.writableFinished) left.abort(new MeshError('Unreachable', `${caller.id} has left.`));
    });
    const body = await this.#read(req, proof?.digest);
    if (handler.kind === 'ask') {
      reply.whole(200, await handler.handle(body, caller, left.signal));
    } else if (handler.kind === 'lines') {
      const lines = handler.handle(body, caller, left.signal);
      await sendLines(reply, lines, this.#options.heartbeatMs, left.signal);
    } else {
      const sink = new ResponseSink(reply);
      await handler.handle(body, caller, sink, left.signal);
      sink.end();
    }
  }

  async #read(req: IncomingMessage, digest: string | undefined): Promise<unknown> {
    const { maxBodyBytes } = this.#options;
    const text = await readBody(req, maxBodyBytes);
    if (text === undefined) throw new Refusal('body', 'Malformed', `The body is longer than ${maxBodyBytes} bytes.`);
    if (digest !== undefined && digest !== digestOf(text)) {
      throw new Refusal('proof', 'Refused', 'The body is not the one that the request proves.');
    }
    const body = parseJson(text);
    if (body === undefined) throw new Refusal('body', 'Malformed', 'The body is not JSON.');
    return body.value;
  }

  #fail(req: IncomingMessage, reply: Reply, caller: Member | undefined, error: unknown): void {
    const { res } = reply;
    const from = caller?.id ?? req.socket.remoteAddress;
    const gone = res.destroyed || res.closed;
    if (error instanceof Refusal) this.#deps.refusals.add(error.reason, from, error.message);
    else if (!(error instanceof MeshError) && !gone) {
      this.#deps.log.error({ err: error, from, call: callOf(req.url ?? '') }, 'A call of the mesh failed.');
    }
    if (gone) return;
    if (res.headersSent) {
      res.destroy();
      return;
    }
    const { code, message } =
      error instanceof MeshError ? error : new MeshError('Unreachable', 'The call failed there; its log says why.');
    const status = error instanceof UnknownCall ? 404 : statusOf(code);
    // What is left of a body that was not read is not worth reading.
    reply.whole(status, { code, message }, req.complete ? [] : ['connection', 'close']);
  }
}

class UnknownCall extends Refusal {
  constructor(name: string) {
    super('call', 'Malformed', `This gateway offers no call '${name.slice(0, 64)}'.`);
  }
}
