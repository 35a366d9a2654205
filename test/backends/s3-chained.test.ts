// The s3 backend against a gateway of our own over a directory: each is the other's proof, the dialect's reading of S3
// against Amazon's SDK, and the backend against a server that keeps all of S3's promises.
import { openS3Backend } from '../../backends/s3.ts';
import { backendContract } from '../contracts/backend.ts';
import { startGateway } from '../support/gateway.ts';

backendContract('s3 on dfstore', openOnGateway, { runs: 10, acceptsKey });

/** The gateway keeps objects in files here, and a file's name has at most 255 bytes. */
function acceptsKey(key: string): boolean {
  return key.split('/').every((segment) => Buffer.byteLength(encodeURIComponent(segment)) <= 200);
}

async function openOnGateway() {
  const gateway = await startGateway();
  const { s3Url: endpoint, accessKeyId, secretAccessKey } = gateway;
  const backend = openS3Backend({ endpoint, accessKeyId, secretAccessKey, pathStyle: true });
  const bucket = 'contract';
  await backend.buckets?.create(bucket, { owner: 'tester' }, new AbortController().signal);
  const close = async () => {
    await backend.close();
    await gateway.close();
  };
  return { backend, bucket, close };
}
