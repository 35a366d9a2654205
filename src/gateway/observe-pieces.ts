// What an operator is told of the shelf.
import type { Logger } from 'pino';
import type { Metrics } from '../admin/metrics.ts';
import type { PieceObserver } from '../pieces/piece-store.ts';

export function observePieces(deps: {
  log: Pick<Logger, 'warn' | 'info'>;
  metrics: Pick<Metrics, 'count'>;
}): PieceObserver {
  const { log, metrics } = deps;
  return {
    discarded: (event) => {
      // A gateway that was killed may have removed a file before LevelDB heard of it: nothing was damaged.
      if (event.reason === 'missing') {
        log.info(event, 'The file of a cached piece is gone; it is read again when it is wanted.');
        return;
      }
      metrics.count('dfstore_piece_verification_failures_total', { source: 'disk' });
      log.warn(event, 'A cached piece was damaged; it was discarded and is read again when it is wanted.');
    },
    evicted: ({ bytes }) => metrics.count('dfstore_cache_evicted_bytes_total', {}, bytes),
    diskFailed: ({ disk, reading, error }) => {
      metrics.count('dfstore_cache_failures_total', { part: 'disk' });
      const message = reading
        ? 'A cache disk takes no more writes; what it holds is still served.'
        : 'A cache disk failed; requests are served without it until it works again.';
      log.warn({ disk, err: error }, message);
    },
    diskHealed: ({ disk }) => log.info({ disk }, 'The cache disk works again.'),
    databaseFailed: ({ error, lost }) => {
      metrics.count('dfstore_cache_failures_total', { part: 'database' });
      log.warn(
        { err: error, lost },
        'LevelDB refused to note what the cache holds; it may be read again after a restart.',
      );
    },
  };
}
