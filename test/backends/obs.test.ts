// OBS through the real SDK's signatures, against the protocol server.
import { openObsBackend } from '../../backends/obs.ts';
import { backendContract } from '../contracts/backend.ts';
import { ProtocolServer } from '../support/object-protocol/protocol-server.ts';

backendContract('obs', async () => {
  const server = await ProtocolServer.start({ flavour: 'obs' });
  server.bucket('contract');
  const { accessKeyId, secret } = server.credentials;
  const backend = await openObsBackend({
    endpoint: server.endpoint,
    accessKeyId,
    secretAccessKey: secret,
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
});
