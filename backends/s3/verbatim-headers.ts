// Request headers that the SDK's inputs cannot carry as they are. They are set before signing.
import type { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { ObjectHeaders } from '../backend.ts';

type Stack = Pick<GetObjectCommand, 'middlewareStack'>['middlewareStack'];

/** The SDK takes a Date; what a client stored is kept to the letter. */
export function withExpires(command: { readonly middlewareStack: unknown }, headers: ObjectHeaders): void {
  const { expires } = headers;
  if (expires === undefined) return;
  const stack = command.middlewareStack as Stack;
  stack.add(
    (next) => (args) => {
      setHeader(args, 'expires', expires);
      return next(args);
    },
    { step: 'build', name: 'verbatimExpires' },
  );
}

/**
 * Asks for an object's stored checksum with each read. The input's ChecksumMode would also make the SDK compute it over
 * every body, in JavaScript.
 */
export function askForChecksums(client: S3Client): void {
  client.middlewareStack.add(
    (next, context) => (args) => {
      if (context.commandName === 'GetObjectCommand') setHeader(args, 'x-amz-checksum-mode', 'ENABLED');
      return next(args);
    },
    { step: 'build', name: 'askForChecksums' },
  );
}

function setHeader(args: object, name: string, value: string): void {
  if (!('request' in args)) return;
  (args.request as { headers: Record<string, string> }).headers[name] = value;
}
