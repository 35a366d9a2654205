// A member of a mesh that knows its secret and means ill: it speaks the mesh's own transport, and answers for pieces as
// a test says.
import { randomBytes } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { BlockSigner } from '../../src/mesh/exchange/proof.ts';
import type { Member } from '../../src/mesh/member.ts';
import { HttpMeshClient } from '../../src/mesh/transport/http-mesh-client.ts';
import type { MeshServer } from '../../src/mesh/transport/mesh-server.ts';
import type { Handlers } from '../../src/mesh/transport.ts';
import { CLIENT, LIST_HASH, listen } from './mesh-wire.ts';

export interface HostileMember {
  readonly id: string;
  readonly server: MeshServer;
  readonly client: HttpMeshClient;
}

export async function startHostileMember(secret: string, handlers: Handlers): Promise<HostileMember> {
  const { server } = await listen({ secret });
  const self: Member = {
    id: `127.0.0.1:${server.port}`,
    role: 'peer',
    zone: undefined,
    incarnation: randomBytes(8).toString('hex'),
    key: new BlockSigner().publicKey,
  };
  const ignored = { listHash: () => LIST_HASH, onMember: () => undefined, onListHash: () => undefined };
  server.serve({ ...ignored, self, handlers: { hello: { kind: 'ask', handle: async () => ({}) }, ...handlers } });
  const client = new HttpMeshClient({ ...ignored, self }, { ...CLIENT, secret });
  onTestFinished(() => client.close());
  return { id: self.id, server, client };
}
