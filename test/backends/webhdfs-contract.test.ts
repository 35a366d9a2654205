// The contract of backends/backend.ts, kept by the webhdfs backend over a server of the protocol. Batches of three make
// every listing cross them.
import { openWebHdfsBackend } from '../../backends/webhdfs.ts';
import { backendContract } from '../contracts/backend.ts';
import { treeKeys } from '../support/tree-keys.ts';
import { WebHdfsServer } from '../support/webhdfs-server.ts';

backendContract(
  'webhdfs',
  async () => {
    const server = await WebHdfsServer.start({ namenodes: 2, batch: 3 });
    server.active = 1;
    server.makeDirectory('/datasets');
    const backend = await openWebHdfsBackend({
      namenodes: server.namenodes,
      root: '/datasets',
      bucket: 'datasets',
      user: 'reader',
    });
    return {
      backend,
      bucket: 'datasets',
      seed: async (key, bytes) => server.write(`/datasets/${key}`, bytes),
      close: async () => {
        await backend.close();
        await server.close();
      },
    };
  },
  { acceptsKey: treeKeys(isHdfsName), runs: 100 },
);

/** Each segment is a name, none longer than HDFS's default limit. */
function isHdfsName(key: string): boolean {
  return key.split('/').every((segment) => {
    const isDots = segment === '' || segment === '.' || segment === '..';
    return !isDots && !segment.includes(':') && Buffer.byteLength(segment) <= 255;
  });
}
