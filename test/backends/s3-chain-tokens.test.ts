// Session tokens that no configuration names, because the SDK's credential chain found them.
import { afterEach, expect, test, vi } from 'vitest';
import { openS3Backend } from '../../backends/s3.ts';
import { type Answer, MisbehavingServer } from '../support/misbehaving-server.ts';

const TOKENS = ['never-to-be-seen-token-1', 'never-to-be-seen-token-2'];
const REF = { bucket: 'bucket', key: 'key' };
const { signal } = new AbortController();

afterEach(() => vi.unstubAllEnvs());

/** Repeats the token it was sent. */
const talkative: Answer = (request, response) => {
  const body = `<Error><Code>AccessDenied</Code><Message>No: ${request.headers['x-amz-security-token']}</Message></Error>`;
  response.writeHead(403, { 'content-type': 'application/xml', 'content-length': body.length }).end(body);
};

test("a token of the SDK's credential chain is in no error, whatever the origin repeats", async () => {
  const server = await MisbehavingServer.start(talkative);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'an-id');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'a-secret');
  for (const token of TOKENS) {
    vi.stubEnv('AWS_SESSION_TOKEN', token);
    const backend = openS3Backend({ endpoint: server.url, pathStyle: true });
    const asked = [
      backend.read(REF, {}, signal),
      backend.versioning?.get(REF.bucket, signal),
      backend.multipart?.abortUpload({ ...REF, uploadId: 'u' }, signal),
    ];
    for (const outcome of await Promise.allSettled(asked)) {
      if (outcome.status === 'fulfilled') throw new Error('The origin refuses all it is asked.');
      const error: Error = outcome.reason;
      const told = [error.message, error.stack, String((error.cause as Error | undefined)?.message)].join(' ');
      expect(told).toContain('No: (secret)');
      expect(told).not.toContain(token);
    }
    await backend.close();
  }
  expect(server.requests.map(({ headers }) => headers['x-amz-security-token'])).toEqual(expect.arrayContaining(TOKENS));
  await server.close();
});
