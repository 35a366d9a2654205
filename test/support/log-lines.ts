// What a gateway under test logs, line by line, as its operator would read it.
import { type Logger, pino } from 'pino';

export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export const WARN = 40;
export const ERROR = 50;

export class LogLines {
  readonly lines: LogLine[] = [];
  /** Exactly what was written. */
  text = '';
  readonly logger: Logger;
  readonly #watchers = new Set<() => void>();

  constructor() {
    this.logger = pino(
      { level: 'debug' },
      {
        write: (line) => {
          this.text += line;
          this.lines.push(JSON.parse(line));
          for (const look of [...this.#watchers]) look();
        },
      },
    );
  }

  /** Resolves once a line says this. */
  async said(msg: string): Promise<void> {
    await new Promise<void>((resolve) => {
      const look = () => {
        if (!this.lines.some((line) => line.msg === msg)) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
    });
  }

  /** Of one request to the gateway. */
  of(key: string): LogLine[] {
    return this.lines.filter((line) => line.key === key);
  }
}
