// The contract of backends/backend.ts, kept by the http backend over a real file server.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../backends/backend.ts';
import { openHttpBackend } from '../../backends/http.ts';
import { backendContract } from '../contracts/backend.ts';
import { hasNginx, type Nginx, startNginx } from '../support/nginx.ts';
import { treeKeys } from '../support/tree-keys.ts';

const signal = new AbortController().signal;

describe.skipIf(!hasNginx())('nginx (skipped where it is not installed)', () => {
  backendContract(
    'http over nginx',
    async () => {
      const nginx = await startNginx();
      const backend = await openHttpBackend({ endpoint: nginx.url, bucket: 'files' });
      return {
        backend,
        bucket: 'files',
        seed: (key, bytes) => nginx.write(key, bytes),
        close: async () => {
          await backend.close();
          await nginx.close();
        },
      };
    },
    { acceptsKey: treeKeys(isFileName), runs: 50 },
  );

  describe('as operators configure it', () => {
    let nginx: Nginx;
    let backend: Backend;

    beforeAll(async () => {
      nginx = await startNginx(`
        location /plain/ { etag off; }
        location /private/ { return 403; }
        location /gone/ { return 410; }
        location /compressed/ { gzip_static always; gunzip off; }
        location = /moved.bin { return 302 /files/moved.bin; }
        location = /elsewhere.bin { return 302 http://localhost:1/files/moved.bin; }
        autoindex on;
      `);
      backend = await openHttpBackend({ endpoint: `${nginx.url}/` });
    });
    afterAll(async () => {
      await backend.close();
      await nginx.close();
    });

    test('a fill with If-Match never takes the bytes of a file that was replaced', async () => {
      const key = `${randomUUID()}.bin`;
      await nginx.write(key, Buffer.from('older'));
      const { info } = await backend.head({ bucket: 'b', key }, {}, signal);
      expect(info.identity).toBe('strong');
      await nginx.write(key, Buffer.from('newer bytes'));
      const conditions = { ifMatch: [info.etag] };
      await expect(
        backend.read({ bucket: 'b', key }, { conditions, range: { start: 0, end: 3 } }, signal),
      ).rejects.toMatchObject({ code: 'PreconditionFailed' });
    });

    test('a directory is no object, with or without its slash', async () => {
      await nginx.write('directory/file', Buffer.from('x'));
      for (const key of ['directory', 'directory/']) {
        await expect(backend.read({ bucket: 'b', key }, {}, signal)).rejects.toMatchObject({ code: 'NoSuchKey' });
      }
    });

    test('what the server refuses or withdrew is told as that', async () => {
      await nginx.write('private/x', Buffer.from('x'));
      await expect(backend.head({ bucket: 'b', key: 'private/x' }, {}, signal)).rejects.toMatchObject({
        code: 'AccessDenied',
      });
      await expect(backend.head({ bucket: 'b', key: 'gone/x' }, {}, signal)).rejects.toMatchObject({
        code: 'NoSuchKey',
      });
    });

    test('a redirect within the server is followed, one to a host nobody named is not', async () => {
      await nginx.write('files/moved.bin', Buffer.from('moved'));
      const { info } = await backend.head({ bucket: 'b', key: 'moved.bin' }, {}, signal);
      expect(info).toMatchObject({ key: 'moved.bin', sizeBytes: 5 });
      const refused = backend.head({ bucket: 'b', key: 'elsewhere.bin' }, {}, signal);
      await expect(refused).rejects.toMatchObject({ code: 'Misconfigured' });
      await expect(refused).rejects.toThrow("'localhost:1' in redirectHosts");
    });

    test('a file without an etag is known by its date and length, but not while it is fresh', async () => {
      await nginx.write('plain/fresh', Buffer.from('fresh'));
      const { info } = await backend.head({ bucket: 'b', key: 'plain/fresh' }, {}, signal);
      expect(info.identity).toBe('none');
      expect(info.etag).toMatch(/^lm-[0-9a-f]+-5$/);
    });
  });
});

/** What a file on Linux can be called, and nginx serves. */
function isFileName(key: string): boolean {
  return key.split('/').every((segment) => !['', '.', '..'].includes(segment) && Buffer.byteLength(segment) <= 255);
}
