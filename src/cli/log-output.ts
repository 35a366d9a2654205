// The gateway's log: lines of JSON on standard output. A line for each request is written thousands of times a second,
// so lines are written together, and within a moment: a system call for each would cost more than reading a small
// object. What a process that is killed has not written yet is lost; one that ends by itself writes all.
import { type Logger, pino } from 'pino';

const TOGETHER_BYTES = 8 * 1024;
const TOGETHER_MS = 100;
/** While whoever reads the log does not; what comes beyond is dropped. */
const WAITING_BYTES = 64 * 1024 ** 2;

export function openLog(level: string): Logger {
  const output = pino.destination({
    dest: process.stdout.fd,
    sync: false,
    minLength: TOGETHER_BYTES,
    periodicFlush: TOGETHER_MS,
    maxLength: WAITING_BYTES,
  });
  return pino({ level, timestamp: timeField(Date.now) }, output);
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
