// What is counted and logged of requests, limits and origins.
import type { Logger } from 'pino';
import type { Metrics } from '../admin/metrics.ts';
import type { OriginObserver } from '../objects/observed-backend.ts';
import type { RequestObserver } from '../s3/s3-api.ts';

export function observeOrigins(name: string, metrics: Pick<Metrics, 'count'>): OriginObserver {
  return {
    name,
    requested: (operation) => metrics.count('dfstore_origin_requests_total', { operation }),
    readBytes: (count) => metrics.count('dfstore_origin_read_bytes_total', {}, count),
  };
}

/** `log`: absent where requests are not to be logged one by one. */
export function observeRequests(
  metrics: Pick<Metrics, 'count' | 'observe'>,
  log: Pick<Logger, 'info'> | undefined,
): RequestObserver {
  return {
    finished: (event) => {
      const { operation, status, durationMs, bytesIn, bytesOut, accessKeyId, bucket, key } = event;
      metrics.count('dfstore_s3_requests_total', { operation, status: String(status) });
      metrics.observe('dfstore_s3_request_duration_seconds', { operation }, durationMs / 1_000);
      metrics.count('dfstore_received_bytes_total', {}, bytesIn);
      for (const [source, bytes] of event.served) metrics.count('dfstore_served_bytes_total', { source }, bytes);
      if (log === undefined) return;
      const served = Object.fromEntries(event.served);
      const roundedMs = Math.round(durationMs * 1_000) / 1_000;
      const line = { operation, status, durationMs: roundedMs, bytesIn, bytesOut, served, accessKeyId, bucket, key };
      log.info(line, 'A request was answered.');
    },
  };
}
