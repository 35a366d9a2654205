// An image of two layers as a folder that skopeo reads (OCI image layout), made of random bytes.
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const TYPE = 'application/vnd.oci.image';

/** Returns the digests of its blobs, without 'sha256:'. */
export async function makeOciImage(folder: string, layerBytes: readonly number[]): Promise<string[]> {
  const blobs = join(folder, 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true });
  const made: string[] = [];
  const blob = async (mediaType: string, content: Buffer) => {
    const hex = sha256Of(content);
    await writeFile(join(blobs, hex), content);
    made.push(hex);
    return { mediaType, digest: `sha256:${hex}`, size: content.length };
  };
  const json = (value: unknown) => Buffer.from(JSON.stringify(value));
  const layers = [];
  const contents: string[] = [];
  for (const size of layerBytes) {
    const content = randomBytes(size);
    contents.push(sha256Of(content));
    // Compressed already: skopeo would compress it on its way, to another digest.
    layers.push(await blob(`${TYPE}.layer.v1.tar+gzip`, gzipSync(content, { level: 1 })));
  }
  const config = await blob(
    `${TYPE}.config.v1+json`,
    json({
      architecture: 'amd64',
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: contents.map((hex) => `sha256:${hex}`) },
    }),
  );
  const manifest = { schemaVersion: 2, mediaType: `${TYPE}.manifest.v1+json`, config, layers };
  const root = await blob(`${TYPE}.manifest.v1+json`, json(manifest));
  const reference = { 'org.opencontainers.image.ref.name': 'latest' };
  await writeFile(
    join(folder, 'index.json'),
    json({ schemaVersion: 2, manifests: [{ ...root, annotations: reference }] }),
  );
  await writeFile(join(folder, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
  return made;
}

function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
