// OSS through the real SDK's signatures, against the protocol server.
import { openOssBackend } from '../../backends/oss.ts';
import { backendContract } from '../contracts/backend.ts';
import { ProtocolServer } from '../support/object-protocol/protocol-server.ts';

backendContract(
  'oss',
  async () => {
    const server = await ProtocolServer.start({ flavour: 'oss' });
    server.bucket('contract');
    const { accessKeyId, secret } = server.credentials;
    const backend = await openOssBackend({
      region: `oss-${server.region}`,
      endpoint: server.endpoint,
      accessKeyId,
      accessKeySecret: secret,
      lookup: server.lookup,
    });
    return {
      backend,
      bucket: 'contract',
      close: async () => {
        await backend.close();
        await server.close();
      },
    };
  },
  { acceptsKey: (key) => !/^[/\\]/.test(key) },
);
