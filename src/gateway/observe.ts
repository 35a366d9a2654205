// What is counted and logged of requests, limits and origins.
import type { Logger } from 'pino';
import type { Metrics } from '../admin/metrics.ts';
import type { Source } from '../objects/objects.ts';
import type { OriginObserver } from '../objects/observed-backend.ts';
import type { RequestObserver } from '../s3/s3-api.ts';
import { requestLog } from './request-log.ts';

export function observeOrigins(name: string, metrics: Pick<Metrics, 'count'>): OriginObserver {
  return {
    name,
    requested: (operation) => metrics.count('dfstore_origin_requests_total', { operation }),
    readBytes: (count) => metrics.count('dfstore_origin_read_bytes_total', {}, count),
  };
}

/** `log`: absent where requests are not to be logged one by one. */
export function observeRequests(
  metrics: Pick<Metrics, 'counter' | 'observer'>,
  log: Logger | undefined,
): RequestObserver {
  const tell = log && requestLog(log);
  const answered = eachOnce((name) => {
    const [operation = '', status = ''] = name.split(' ');
    return metrics.counter('dfstore_s3_requests_total', { operation, status });
  });
  const served = eachOnce((source) => metrics.counter('dfstore_served_bytes_total', { source }));
  const lasted = eachOnce((operation) => metrics.observer('dfstore_s3_request_duration_seconds', { operation }));
  const received = metrics.counter('dfstore_received_bytes_total', {});
  return {
    finished: (event) => {
      const { operation, status, durationMs, bytesIn } = event;
      answered(`${operation} ${status}`)();
      lasted(operation)(durationMs / 1_000);
      received(bytesIn);
      for (const source in event.served) served(source)(event.served[source as Source]);
      tell?.(event);
    },
  };
}

function eachOnce<Value>(make: (name: string) => Value): (name: string) => Value {
  const made = new Map<string, Value>();
  return (name) => {
    const value = made.get(name) ?? make(name);
    made.set(name, value);
    return value;
  };
}
