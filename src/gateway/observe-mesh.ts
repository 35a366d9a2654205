// What the mesh tells, as metrics and log lines.
import type { Logger } from 'pino';
import type { Metrics } from '../admin/metrics.ts';
import type { PieceMeshObserver } from '../mesh/piece-mesh.ts';

export function observeMesh(deps: { log: Pick<Logger, 'warn'>; metrics: Pick<Metrics, 'count'> }): PieceMeshObserver {
  const { log, metrics } = deps;
  return {
    received: (bytes, { isFar }) => {
      metrics.count('dfstore_peer_read_bytes_total', {}, bytes);
      if (isFar) metrics.count('dfstore_peer_far_read_bytes_total', {}, bytes);
    },
    sent: (bytes) => metrics.count('dfstore_peer_sent_bytes_total', {}, bytes),
    detoured: (reason) => metrics.count('dfstore_mesh_detours_total', { reason }),
    unproved: ({ from, key, error }) => {
      metrics.count('dfstore_piece_verification_failures_total', { source: 'peer' });
      log.warn(
        { from, key, err: error },
        'Another gateway sent what is not proved; it was discarded and comes from elsewhere.',
      );
    },
    refused: (event) => {
      metrics.count('dfstore_mesh_refused_announcements_total', {}, event.pieces.length);
      log.warn(event, 'A gateway announced pieces with other bytes than those that are known; it is not believed.');
    },
    databaseFailed: (error) => {
      metrics.count('dfstore_cache_failures_total', { part: 'database' });
      log.warn(
        { err: error },
        'LevelDB refused to note what other gateways hold; it is announced again after a restart.',
      );
    },
  };
}
