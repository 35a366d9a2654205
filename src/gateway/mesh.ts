// The mesh as the configuration wants it: its port, its members, and both sides of what gateways ask each other. Without
// mesh.listen this gateway is the whole of its mesh, and runs the same rules with itself.
import { randomBytes } from 'node:crypto';
import type { Level } from 'level';
import type { Logger } from 'pino';
import type { Metrics } from '../admin/metrics.ts';
import type { Background } from '../concurrency/background.ts';
import { patienceSignal } from '../concurrency/patience.ts';
import type { Config } from '../config.ts';
import { SYSTEM_CLOCK } from '../mesh/clock.ts';
import type { Directory } from '../mesh/directory.ts';
import { BlockSigner } from '../mesh/exchange/proof.ts';
import type { Member } from '../mesh/member.ts';
import type { Members } from '../mesh/members.ts';
import { type MemberReport, MeshOverview } from '../mesh/mesh-overview.ts';
import { openNames } from '../mesh/names/open-names.ts';
import { LONELY_NAMES, type Names } from '../mesh/names.ts';
import { notingClient } from '../mesh/noting-client.ts';
import { PieceLocator } from '../mesh/piece-locator.ts';
import { NOBODY, openPieceMesh } from '../mesh/piece-mesh.ts';
import { preheatHandlers, type Warm } from '../mesh/preheat-call.ts';
import { slabOf } from '../mesh/slab.ts';
import { HttpMeshClient } from '../mesh/transport/http-mesh-client.ts';
import { MeshServer } from '../mesh/transport/mesh-server.ts';
import type { MeshClient } from '../mesh/transport.ts';
import type { ArrivingPiece } from '../pieces/arriving.ts';
import type { Departures } from '../pieces/departures.ts';
import type { Piece } from '../pieces/piece.ts';
import type { PieceStore } from '../pieces/piece-store.ts';
import { openCertificates } from './certificates.ts';
import { openMembers, ownMemberId } from './members.ts';
import { meshClientOptions, meshServerOptions, meshTlsFiles } from './mesh-limits.ts';
import { nameOptions, parallelPieces, pieceMeshOptions } from './mesh-options.ts';
import { observeMesh } from './observe-mesh.ts';
import { VERSION } from './version.ts';

export interface MeshDeps {
  readonly store: PieceStore;
  readonly departures: Departures;
  readonly database: Level;
  readonly background: Background;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** What operators can ask of a mesh of several. */
export interface MeshSurface {
  readonly members: Members;
  readonly client: MeshClient;
  readonly overview: MeshOverview;
  readonly locator: PieceLocator;
}

/** What this gateway does for others once it serves. */
interface MeshServices {
  /** What is on its way here. */
  readonly arriving: (piece: Piece) => ArrivingPiece | undefined;
  readonly warm: Warm;
}

export interface Mesh {
  readonly directory: Directory;
  readonly names: Names;
  /** Of one read on their way at once. */
  readonly parallelPieces: () => number;
  /** Undefined: this gateway is the whole of its mesh. */
  readonly surface: MeshSurface | undefined;
  /** From here on others are served. */
  serve(services: MeshServices): void;
  /** Tells the others, lets what they are given finish, and ends. */
  close(): Promise<void>;
}

export function openMesh(config: Config, deps: MeshDeps): Promise<Mesh> {
  return config.mesh.listen === undefined ? Promise.resolve(openLoneMesh(config, deps)) : openSharedMesh(config, deps);
}

function openLoneMesh(config: Config, deps: MeshDeps): Mesh {
  const signer = new BlockSigner();
  const self = describeSelf(config, 'this gateway', signer);
  const list = [self.id];
  const pieces = openPieceMesh(
    {
      ...deps,
      departures: undefined,
      database: undefined,
      members: { self, trackers: () => list, about: () => undefined },
      client: NOBODY,
      signer,
      observer: observeMesh(deps),
      now: SYSTEM_CLOCK.now,
    },
    pieceMeshOptions(config),
  );
  return {
    directory: pieces.directory,
    names: LONELY_NAMES,
    parallelPieces: () => config.cache.parallelPieces,
    surface: undefined,
    serve: () => undefined,
    close: () => pieces.close(),
  };
}

async function openSharedMesh(config: Config, deps: MeshDeps): Promise<Mesh> {
  const { log, metrics, background, store } = deps;
  const files = meshTlsFiles(config);
  const certificates =
    files &&
    (await openCertificates(
      {
        log,
        renewed: (pem) => {
          server.renew(pem);
          client.renew(pem);
        },
      },
      { setting: 'mesh.tls', files, checkIntervalMs: config.tls.reloadInterval },
    ));
  const tls = certificates?.current;
  const refused = (reason: string) => metrics.count('dfstore_mesh_refused_total', { reason });
  const server = await MeshServer.listen({ log, refused }, meshServerOptions(config, tls));
  const signer = new BlockSigner();
  const self = describeSelf(config, ownMemberId(config, server.port), signer);
  const members = await openMembers(config, { ...deps, self, tls });
  const wire = {
    self,
    listHash: () => members.hash,
    onMember: (member: Member) => members.learn(member),
    onListHash: (from: Member, hash: string) => members.onListHash(from, hash),
  };
  const client = new HttpMeshClient(wire, meshClientOptions(config, tls));
  const pieces = openPieceMesh(
    {
      ...deps,
      members,
      client,
      patience: (limitMs) => client.patience(limitMs),
      signer,
      observer: observeMesh(deps),
      now: SYSTEM_CLOCK.now,
    },
    pieceMeshOptions(config),
  );
  const names = openNames(
    {
      client: notingClient(client, pieces.calls),
      clock: SYSTEM_CLOCK,
      list: members,
      background,
      arriving: (caller, { piece, blockSize }) => pieces.learnArriving(slabOf(piece, blockSize), piece, caller),
    },
    nameOptions(config, store.blockSize),
  );
  members.onChange(() => pieces.membersChanged());
  const report = () => ({ ...reportOf(store), ...pieces.counts(), names: names.owned() });
  const overview = new MeshOverview(
    { members, client, report },
    { maxAsked: config.admin.members, atOnce: config.admin.membersAtOnce },
  );
  const locator = new PieceLocator({ members, trackers: pieces.trackers, zones: pieces.zones, store });
  return {
    directory: pieces.directory,
    names: names.names,
    parallelPieces: () => parallelPieces(config, members.trackers().length),
    surface: { members, client, overview, locator },
    serve: ({ arriving, warm }) => {
      const handlers = {
        ...pieces.handlers(arriving),
        ...names.handlers,
        ...overview.handlers,
        ...preheatHandlers(warm),
      };
      server.serve({ ...wire, handlers });
      members.start();
      pieces.membersChanged();
    },
    close: async () => {
      const limit = patienceSignal(config.mesh.patience);
      await certificates?.close();
      await members.leave(limit);
      await pieces.trackers.leave(limit);
      await server.close(config.shutdownTimeout);
      names.close();
      await pieces.close();
      await members.close();
      client.close();
    },
  };
}

function reportOf(store: PieceStore): Pick<MemberReport, 'version' | 'pieces' | 'diskBytes'> {
  const { pieces, diskBytes } = store.usage();
  return { version: VERSION, pieces, diskBytes };
}

function describeSelf(config: Config, id: string, signer: BlockSigner): Member {
  const { role, zone } = config.mesh;
  return { id, role, zone, incarnation: randomBytes(8).toString('hex'), key: signer.publicKey };
}
