// The contract again, over Hadoop itself; opt-in, because it takes a minute or two and 100 MB of jars. Few runs of each
// property: every file written costs two requests and a block.
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openWebHdfsBackend } from '../../backends/webhdfs.ts';
import { backendContract } from '../contracts/backend.ts';
import { HadoopCluster, user } from '../support/hadoop-cluster.ts';
import { treeKeys } from '../support/tree-keys.ts';

const JARS = process.env.DFSTORE_TEST_HADOOP ?? '';
const never = new AbortController().signal;

describe.skipIf(JARS === '')('Hadoop (skipped unless DFSTORE_TEST_HADOOP names its jars)', () => {
  let cluster: HadoopCluster;

  beforeAll(async () => {
    cluster = await HadoopCluster.start(JARS);
  }, 120_000);
  afterAll(() => cluster?.close());

  backendContract(
    'webhdfs over Hadoop',
    async () => {
      await cluster.write('/datasets/seed', Buffer.alloc(0));
      const { namenodes } = cluster;
      const datanodes = ['127.0.0.1', 'localhost'];
      const backend = await openWebHdfsBackend({
        namenodes: namenodes.toReversed(),
        root: '/datasets',
        bucket: 'b',
        user: user(),
        datanodes,
      });
      return {
        backend,
        bucket: 'b',
        seed: (key, bytes) => cluster.write(`/datasets/${key}`, bytes),
        close: () => backend.close(),
      };
    },
    { acceptsKey: treeKeys(isHadoopName), runs: 2 },
  );

  test('a read after a failover comes from the namenode that took over', async () => {
    const backend = await openWebHdfsBackend({ ...cluster, user: user(), datanodes: ['127.0.0.1', 'localhost'] });
    await cluster.write('/over/file', Buffer.from('before the failover'));
    const ref = { bucket: 'b', key: 'over/file' };
    const { info } = await backend.head(ref, {}, never);
    await cluster.failOver();
    const read = await backend.read(ref, { conditions: { ifMatch: [info.etag] } }, never);
    expect((await buffer(read.body)).toString()).toBe('before the failover');
    await cluster.write('/over/file', Buffer.from('after'));
    const stale = backend.read(ref, { conditions: { ifMatch: [info.etag] } }, never);
    await expect(stale).rejects.toMatchObject({ code: 'PreconditionFailed' });
    await expect(backend.head({ bucket: 'b', key: 'over/file/below' }, {}, never)).rejects.toMatchObject({
      code: 'NoSuchKey',
    });
    await backend.close();
  });
});

function isHadoopName(key: string): boolean {
  return key.split('/').every((segment) => {
    const isDots = segment === '' || segment === '.' || segment === '..';
    return !isDots && !segment.includes(':') && Buffer.byteLength(segment) <= 255;
  });
}
