// The gateway's log: lines of JSON on standard output. A line for each request is written thousands of times a second,
// so lines are written together, and within a moment: a system call for each would cost more than reading a small
// object. Warnings and errors are written at once. What a process that is killed has not written yet is lost; one that
// ends by itself writes all.
import { type DestinationStream, type Logger, pino } from 'pino';

const TOGETHER_CHARACTERS = 64 * 1024;
const TOGETHER_MS = 100;
/** While whoever reads the log does not; what comes beyond is dropped. */
const WAITING_BYTES = 64 * 1024 ** 2;

export function openLog(level: string): Logger {
  return pino({ level, timestamp: timeField(Date.now) }, new LogOutput(process.stdout.fd));
}

class LogOutput implements DestinationStream {
  readonly #output: ReturnType<typeof pino.destination>;
  readonly #lastOutput: ReturnType<typeof pino.destination>;
  #lines = '';

  constructor(fd: number) {
    this.#output = pino.destination({ dest: fd, sync: false, maxLength: WAITING_BYTES });
    this.#lastOutput = pino.destination({ dest: fd, sync: true });
    setInterval(() => this.#flush(), TOGETHER_MS).unref();
    process.once('exit', () => this.flushSync());
  }

  write(line: string): void {
    this.#lines += line;
    if (this.#lines.length >= TOGETHER_CHARACTERS || isTrouble(line)) this.#flush();
  }

  /** pino calls it after a fatal line. What a process hands to its threads while it ends may not be done. */
  flushSync(): void {
    this.#output.flushSync();
    if (this.#lines !== '') this.#lastOutput.write(this.#lines);
    this.#lines = '';
  }

  #flush(): void {
    if (this.#lines !== '') this.#output.write(this.#lines);
    this.#lines = '';
  }
}

/** A warning or an error: pino begins each line with its level. What is fatal is followed by flushSync(). */
function isTrouble(line: string): boolean {
  return line.startsWith('{"level":4') || line.startsWith('{"level":5');
}

/** pino's isoTime, whose seconds are worded once each. */
export function timeField(nowMs: () => number): () => string {
  let second = Number.NaN;
  let worded = '';
  return () => {
    const now = nowMs();
    const millisecond = now % 1000;
    if (now - millisecond !== second) {
      second = now - millisecond;
      worded = `,"time":"${new Date(second).toISOString().slice(0, -4)}`;
    }
    return `${worded}${String(millisecond).padStart(3, '0')}Z"`;
  };
}
