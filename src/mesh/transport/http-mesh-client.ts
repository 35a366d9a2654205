// Asks other gateways over kept HTTP connections. Every call may be made twice: one that broke on a kept connection
// before anything came is made again on a fresh one, and one that was for an earlier run of its addressee is made again
// for this one. Over node:http, because undici 7 ends the process when a server closes a connection whose answer is
// still being read (https://github.com/nodejs/undici/issues/5360).
import type { IncomingMessage } from 'node:http';
import { afterPatience } from '../../concurrency/patience.ts';
import type { Member, MemberId } from '../member.ts';
import { type MemberAddress, memberAddress } from '../member-address.ts';
import { type ByteTarget, type CallName, type MeshClient, MeshError } from '../transport.ts';
import { AnswerTimes } from './answer-times.ts';
import type { MeshTls } from './certificates.ts';
import { Incoming, IncomingValues } from './incoming.ts';
import { MemberSockets } from './member-sockets.ts';
import { type AnswerType, errorOf, HEADERS, OTHER_RUN, TYPES } from './protocol.ts';
import { parseJson, readBody } from './read-body.ts';
import { receiveBytes } from './receive-bytes.ts';
import { LineReader } from './receive-lines.ts';
import { RequestSigner } from './request-signer.ts';
import { StaleConnection, sendRequest } from './send-request.ts';
import { SharedSecret } from './shared-secret.ts';

export interface HttpMeshClientDeps {
  /** What every request says of this gateway. */
  readonly self: Member;
  readonly listHash: () => string;
  /** Somebody answered, and is who it says. */
  readonly onMember: (member: Member) => void;
  /** Somebody has another list. */
  readonly onListHash: (from: Member, hash: string) => void;
}

export interface HttpMeshClientOptions {
  readonly secret?: string | undefined;
  readonly tls?: MeshTls | undefined;
  readonly connectTimeoutMs: number;
  readonly handshakeTimeoutMs: number;
  /** For the whole answer of an ask. Longer where all are slow, */
  readonly askTimeoutMs: number;
  /** but not for these calls, which may take longer anyway. */
  readonly callTimeoutsMs?: Readonly<Partial<Record<CallName, number>>> | undefined;
  /** For the headers of a streamed answer, which come at once; `bytes` may have to be opened first. Longer where all are slow. */
  readonly linesTimeoutMs: number;
  readonly bytesTimeoutMs: number;
  /** Longest time between two signs of life of an answer in lines. */
  readonly silenceTimeoutMs: number;
  readonly maxAnswerBytes: number;
  /** One more is Busy. */
  readonly maxCallsPerMember: number;
  readonly maxIdlePerMember: number;
}

interface Call {
  readonly to: MemberId;
  readonly name: CallName;
  readonly body: string;
  readonly type: AnswerType;
  /** For its headers; of an ask also for what follows them. */
  readonly timeoutMs: number;
}

interface Answer {
  readonly res: IncomingMessage;
  /** Of an answer in JSON; undefined: it is streamed. */
  readonly text: string | undefined;
}

export class HttpMeshClient implements MeshClient {
  readonly #deps: HttpMeshClientDeps;
  readonly #options: HttpMeshClientOptions;
  readonly #signer: RequestSigner;
  readonly #sockets: MemberSockets;
  readonly #inFlight = new Map<MemberId, number>();
  readonly #times = new AnswerTimes();
  #closed = false;

  constructor(deps: HttpMeshClientDeps, options: HttpMeshClientOptions) {
    if (options.secret === undefined && options.tls === undefined) {
      throw new Error('A mesh needs a secret or certificates (mesh.secret, mesh.tls).');
    }
    const secret = options.secret === undefined ? undefined : new SharedSecret(options.secret);
    this.#deps = deps;
    this.#options = options;
    this.#signer = new RequestSigner({ ...deps, secret, now: () => Date.now() });
    this.#sockets = new MemberSockets(options);
  }
  async ask(to: MemberId, name: CallName, body: unknown, signal: AbortSignal): Promise<unknown> {
    const timeoutMs = this.#options.callTimeoutsMs?.[name] ?? this.patience(this.#options.askTimeoutMs);
    const leave = this.#enter(to);
    try {
      const { text } = await this.#send({ to, name, body: textOf(body), type: TYPES.ask, timeoutMs }, signal);
      const answer = parseJson(text ?? '');
      if (answer === undefined) throw new MeshError('Malformed', `${to} gave an answer to '${name}' that is not JSON.`);
      return answer.value;
    } finally {
      leave();
    }
  }

  async lines(
    to: MemberId,
    name: CallName,
    body: unknown,
    signal: AbortSignal,
  ): Promise<AsyncGenerator<unknown, void, undefined>> {
    const { linesTimeoutMs, silenceTimeoutMs, maxAnswerBytes } = this.#options;
    const timeoutMs = this.patience(linesTimeoutMs);
    const call = { to, name, body: textOf(body), type: TYPES.lines, timeoutMs };
    const leave = this.#enter(to);
    try {
      const { res } = await this.#send(call, signal);
      const silenceMs = this.patience(silenceTimeoutMs);
      const incoming = new Incoming(res, { who: to, silenceMs }, signal, leave);
      const reader = new LineReader(incoming, { who: to, maxLineBytes: maxAnswerBytes });
      return new IncomingValues(incoming, () => reader.next());
    } catch (error) {
      leave();
      throw error;
    }
  }

  async bytes(to: MemberId, name: CallName, body: unknown, into: ByteTarget, signal: AbortSignal): Promise<void> {
    const timeoutMs = this.#options.bytesTimeoutMs;
    const leave = this.#enter(to);
    try {
      const { res } = await this.#send({ to, name, body: textOf(body), type: TYPES.bytes, timeoutMs }, signal);
      await receiveBytes(res, this.#sockets.tapOf(res.socket), { who: to, into }, signal);
    } finally {
      leave();
    }
  }

  /** How long to wait for others where the limit is this: longer where answers take long lately. */
  patience(limitMs: number): number {
    return this.#times.patience(limitMs);
  }

  /** Of a client with certificates: new connections are made with these. */
  renew(tls: MeshTls): void {
    this.#sockets.renew(tls);
  }

  /** Ends what is under way. */
  close(): void {
    this.#closed = true;
    this.#sockets.close();
  }

  /** Throws Busy past the limit. */
  #enter(to: MemberId): () => void {
    const { maxCallsPerMember } = this.#options;
    const inFlight = this.#inFlight.get(to) ?? 0;
    if (inFlight >= maxCallsPerMember) {
      throw new MeshError('Busy', `${inFlight} calls to ${to} are in flight; that is the limit.`);
    }
    this.#inFlight.set(to, inFlight + 1);
    return () => {
      const left = (this.#inFlight.get(to) ?? 1) - 1;
      if (left === 0) this.#inFlight.delete(to);
      else this.#inFlight.set(to, left);
    };
  }

  /** An answer that is proved and good. Rejects with MeshError or the signal's reason. */
  async #send(call: Call, signal: AbortSignal): Promise<Answer> {
    const address = memberAddress(call.to);
    if (address === undefined) throw new MeshError('Malformed', `'${call.to}' is no address of a gateway.`);
    const again = { stale: true, otherRun: true };
    for (;;) {
      if (this.#closed) throw new MeshError('Closed', 'This gateway is stopping.');
      try {
        const answer = await this.#sendOnce(call, address, signal);
        if (answer.res.statusCode === OTHER_RUN && again.otherRun) again.otherRun = false;
        else return goodAnswer(call, answer);
      } catch (error) {
        if (!(error instanceof StaleConnection) || !again.stale) throw error;
        again.stale = false;
        this.#sockets.dropIdle(address);
      }
    }
  }

  /** An answer that is proved, whatever it says. */
  async #sendOnce(call: Call, address: MemberAddress, signal: AbortSignal): Promise<Answer> {
    const { handshakeTimeoutMs, maxAnswerBytes } = this.#options;
    const connectTimeoutMs = this.patience(this.#options.connectTimeoutMs);
    const limits = { connectTimeoutMs, handshakeTimeoutMs, headersTimeoutMs: call.timeoutMs };
    const sentMs = performance.now();
    const signed = this.#signer.sign(call.to, call.name, call.body);
    const holdsBody = call.type === TYPES.bytes;
    const res = await sendRequest(this.#sockets, { address, ...signed, body: call.body, limits, holdsBody }, signal);
    if (call.type === TYPES.lines || call.name === 'progress') this.#times.note(performance.now() - sentMs);
    const headers = res.headers as Readonly<Record<string, string | undefined>>;
    const streamed = res.statusCode === 200 && headers['content-type'] === call.type && call.type !== TYPES.ask;
    if (holdsBody && !streamed) this.#sockets.tapOf(res.socket).pass();
    const answer = { res, text: streamed ? undefined : await readAnswer(res, call, maxAnswerBytes, signal) };
    const member = this.#signer.checkAnswer(signed.mac, { status: res.statusCode ?? 0, headers }, answer.text ?? '');
    if (member?.id !== call.to) {
      res.destroy();
      throw unproved(call, answer, member);
    }
    this.#learn(member, headers[HEADERS.members] ?? '');
    return answer;
  }

  #learn(member: Member, listHash: string): void {
    this.#signer.learn(member);
    this.#deps.onMember(member);
    if (listHash !== this.#deps.listHash()) this.#deps.onListHash(member, listHash);
  }
}

function textOf(body: unknown): string {
  return JSON.stringify(body) ?? 'null';
}

function goodAnswer(call: Call, answer: Answer): Answer {
  const status = answer.res.statusCode ?? 0;
  if (status !== 200) throw errorOf(status, parseJson(answer.text ?? '')?.value, call.to);
  if (call.type !== TYPES.ask && answer.text !== undefined) {
    throw new MeshError('Malformed', `${call.to} gave no streamed answer to '${call.name}'.`);
  }
  return answer;
}

function unproved(call: Call, { res, text }: Answer, member: Member | undefined): MeshError {
  if (member !== undefined) {
    return new MeshError(
      'Refused',
      `Who answers at ${call.to} calls itself ${member.id}; its mesh.advertise must be what others call it.`,
    );
  }
  const status = res.statusCode ?? 0;
  const said = errorOf(status, parseJson(text ?? '')?.value, call.to);
  if (status === 503) return new MeshError('Busy', said.message);
  if (status !== 200) return new MeshError('Refused', said.message);
  return new MeshError('Refused', `Who answers at ${call.to} did not prove that it belongs to this mesh.`);
}

/** Rejects with MeshError, after the call's limit too. */
async function readAnswer(res: IncomingMessage, call: Call, maxBytes: number, signal: AbortSignal): Promise<string> {
  const leave = () => res.destroy();
  const endLimit = afterPatience(call.timeoutMs, leave);
  signal.addEventListener('abort', leave, { once: true });
  try {
    const text = await readBody(res, maxBytes);
    if (text !== undefined) return text;
    res.destroy();
    throw new MeshError('Malformed', `${call.to} gave an answer to '${call.name}' of more than ${maxBytes} bytes.`);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    endLimit();
    signal.removeEventListener('abort', leave);
  }
}
