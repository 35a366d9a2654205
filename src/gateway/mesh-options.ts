// The settings of what the mesh does with pieces and names, as its parts take them.
import type { Config } from '../config.ts';
import type { OpenNamesOptions } from '../mesh/names/open-names.ts';
import type { PieceMeshOptions } from '../mesh/piece-mesh.ts';
import { tellMs } from './mesh-limits.ts';

export function pieceMeshOptions({ mesh }: Config): PieceMeshOptions {
  return {
    uploadSlots: mesh.uploadSlots,
    maxUploads: mesh.maxUploads,
    leases: mesh.leases,
    silenceMs: mesh.silence,
    progressMs: mesh.progress,
    longPollMs: mesh.longPoll,
    patienceMs: mesh.patience,
    tellMs: tellMs(mesh),
    // Who asks for a piece may have waited for the first owner already.
    peekMs: 2 * mesh.linesTimeout,
    maxSlabs: mesh.slabs,
    maxMembers: mesh.trackedMembers,
    zoneLevel: mesh.zoneLevel,
  };
}

/**
 * Pieces of one read on their way at once. With fewer than there are gateways, the wants of most end before the pieces
 * that nobody has read yet: the few that read the origin go on to, and all others wait for what those can give.
 */
export function parallelPieces({ mesh }: Config, gateways: number): number {
  return Math.min(Math.max(mesh.parallelPieces, gateways), 2 * mesh.parallelPieces);
}

/** A write waits until leases of the list before its own have run out, and nobody goes by that list any longer. */
export function nameOptions({ mesh, cache }: Config, blockSize: number): OpenNamesOptions {
  return {
    nameLeaseMs: mesh.nameLease,
    settleMs: mesh.nameLease + 1.2 * mesh.refresh,
    markTtlMs: mesh.markTtl,
    validatorTtlMs: mesh.validatorTtl,
    maxIdle: cache.names,
    maxBusy: cache.names,
    patienceMs: mesh.linesTimeout,
    blockSize,
  };
}
