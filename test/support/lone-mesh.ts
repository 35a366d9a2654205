// The pieces' side of a mesh of one gateway, as a gateway without a mesh has it.
import { Background } from '../../src/concurrency/background.ts';
import { BlockSigner } from '../../src/mesh/exchange/proof.ts';
import type { Member } from '../../src/mesh/member.ts';
import { NOBODY, openPieceMesh, type PieceMesh, type PieceMeshOptions } from '../../src/mesh/piece-mesh.ts';
import type { PieceStore } from '../../src/pieces/piece-store.ts';

const MESH_OPTIONS: PieceMeshOptions = {
  uploadSlots: 32,
  maxUploads: 128,
  leases: 4,
  silenceMs: 1500,
  progressMs: 500,
  longPollMs: 10_000,
  patienceMs: 1000,
  tellMs: 3000,
  peekMs: 1000,
  maxSlabs: 1000,
  maxMembers: 1000,
  zoneLevel: 'off',
};

export function loneMesh(store: PieceStore): PieceMesh {
  const signer = new BlockSigner();
  const self: Member = { id: 'self:1', role: 'tracker', zone: undefined, incarnation: '1', key: signer.publicKey };
  const list = [self.id];
  const ignore = () => undefined;
  return openPieceMesh(
    {
      members: { self, trackers: () => list, about: () => undefined },
      client: NOBODY,
      signer,
      store,
      background: new Background({ failed: ignore }),
      observer: {
        received: ignore,
        sent: ignore,
        detoured: ignore,
        unproved: ignore,
        refused: ignore,
        databaseFailed: ignore,
      },
      now: () => performance.now(),
    },
    MESH_OPTIONS,
  );
}
