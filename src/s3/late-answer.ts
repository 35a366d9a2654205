// Answers to operations that may outlast a client's patience. Within the delay they have their true status. After it
// a 200 is begun and spaces follow until the outcome is known, which may then be an error in the body; S3's clients look
// for that. https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
import type { Answer } from './answer.ts';
import type { S3Error } from './errors.ts';
import type { Exchange } from './exchange.ts';

interface LateOptions {
  /** Before the answer begins, and between two spaces. */
  readonly afterMs: number;
  readonly failed: (error: unknown) => S3Error;
  /** The path that errors name. */
  readonly resource: string;
}

/** Rejects with the operation's error while it can still be answered with its status. */
export async function answerLate(
  exchange: Pick<Exchange, 'send' | 'beginLate'>,
  pending: Promise<Answer>,
  options: LateOptions,
): Promise<void> {
  let late: ReturnType<Exchange['beginLate']> | undefined;
  const timer = setInterval(() => {
    if (late === undefined) late = exchange.beginLate();
    else late.space();
  }, options.afterMs);
  try {
    const answer = await pending;
    if (late === undefined) await exchange.send(answer);
    else late.end(answer, options);
  } catch (error) {
    if (late === undefined) throw error;
    late.end(options.failed(error), options);
  } finally {
    clearInterval(timer);
  }
}
