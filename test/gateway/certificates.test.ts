// Certificates are renewed while the gateway runs: it shows the new ones, and keeps the old ones while the files do not
// fit each other.
import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { openCertificates } from '../../src/gateway/certificates.ts';
import type { MeshTls } from '../../src/mesh/transport/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { startGateway } from '../support/gateway.ts';
import { LogLines } from '../support/log-lines.ts';
import { makeAuthority } from '../support/mesh-certificates.ts';

const NAMES = ['cert', 'key', 'ca'] as const;

async function files(): Promise<Record<keyof MeshTls, string>> {
  const folder = await mkdtemp(join(tmpdir(), 'dfstore-certificates-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem'), ca: join(folder, 'ca.pem') };
}

async function write(paths: Record<keyof MeshTls, string>, tls: MeshTls, names: readonly (keyof MeshTls)[] = NAMES) {
  for (const name of names) await writeFile(paths[name], tls[name]);
}

/** Of the certificate that is shown on a new connection. */
function serialAt(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port), rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

test('what is wrong with a file is told by its setting when the gateway starts', async () => {
  const paths = await files();
  const issued = await (await makeAuthority('mesh')).issue(['127.0.0.1']);
  const open = () =>
    openCertificates(
      { log: new LogLines().logger, renewed: () => undefined },
      { setting: 'mesh.tls', files: paths, checkIntervalMs: 3_600_000 },
    );
  await expect(open()).rejects.toMatchObject({ code: 'ENOENT', path: expect.stringMatching(/(cert|key)\.pem$/) });
  await write(paths, issued);
  await writeFile(paths.key, 'not a key');
  await expect(open()).rejects.toThrow(`The file of mesh.tls.key, ${paths.key}, is not in PEM format.`);
});

test('renewed files are used once they fit each other, and said to be', async () => {
  const paths = await files();
  const authority = await makeAuthority('mesh');
  const [first, second] = [await authority.issue(['127.0.0.1']), await authority.issue(['127.0.0.1'])];
  await write(paths, first);
  const log = new LogLines();
  const renewed: string[] = [];
  const certificates = await openCertificates(
    { log: log.logger, renewed: (pem) => renewed.push(pem.cert.toString()) },
    { setting: 'mesh.tls', files: paths, checkIntervalMs: 3_600_000 },
  );
  await certificates.check();
  expect(certificates.current.cert.toString()).toBe(first.cert);

  await write(paths, second, ['cert']);
  await certificates.check();
  await certificates.check();
  expect(certificates.current.cert.toString()).toBe(first.cert);
  await write(paths, second, ['key']);
  await certificates.check();
  expect(certificates.current.cert.toString()).toBe(second.cert);
  expect(renewed).toEqual([second.cert]);
  expect(log.lines.map(({ msg }) => msg)).toEqual([
    'The files of certificates have changed but cannot be used; the old ones stay.',
    'The files of certificates have changed and were read again.',
  ]);
  await certificates.close();
});

test('the S3 endpoint and the mesh port show renewed certificates without a restart', async () => {
  const [s3, mesh] = [await files(), await files()];
  const authority = await makeAuthority('all');
  const [first, second] = [await authority.issue(['127.0.0.1']), await authority.issue(['127.0.0.1'])];
  const serialOf = (tls: MeshTls) => new X509Certificate(tls.cert).serialNumber;
  for (const paths of [s3, mesh]) await write(paths, first);
  const id = `127.0.0.1:${await freePort()}`;
  await using gateway = await startGateway({
    config: {
      tls: { cert: s3.cert, key: s3.key, reloadInterval: '20ms' },
      mesh: { listen: id, members: { static: [id] }, tls: mesh },
    },
  });
  const urls = [gateway.s3Url, `https://${id}`];
  for (const url of urls) expect(await serialAt(url)).toBe(serialOf(first));
  for (const paths of [s3, mesh]) await write(paths, second);
  for (const url of urls) await expect.poll(() => serialAt(url), { timeout: 10_000 }).toBe(serialOf(second));
});
