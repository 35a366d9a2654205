// Every metric: name, type, labels, help; the unit is the name's last word before _total. The table only; who counts is
// in src/admin/metrics.ts, what is counted in src/gateway/observe.ts.

type MetricType = 'counter' | 'gauge' | 'histogram';

export interface Metric {
  readonly type: MetricType;
  readonly help: string;
  readonly labels: readonly string[];
  /** Of a histogram: upper bounds. */
  readonly buckets?: readonly number[];
}

export const METRICS = {
  dfstore_origin_requests_total: {
    type: 'counter',
    labels: ['operation'],
    help: "Calls of an origin's contract, by operation; one may cost the origin more than one HTTP request",
  },
  dfstore_origin_read_bytes_total: {
    type: 'counter',
    labels: [],
    help: 'Bytes of object bodies read from origins',
  },
  dfstore_peer_read_bytes_total: {
    type: 'counter',
    labels: [],
    help: 'Bytes of pieces read from other gateways',
  },
  dfstore_peer_far_read_bytes_total: {
    type: 'counter',
    labels: [],
    help: 'Of those, bytes from gateways in another zone (mesh.zone)',
  },
  dfstore_peer_sent_bytes_total: {
    type: 'counter',
    labels: [],
    help: 'Bytes of pieces given to other gateways',
  },
  dfstore_mesh_detours_total: {
    type: 'counter',
    labels: ['reason'],
    help: 'Pieces that did not come whole from where they were first sent for, by what was wrong with it; alone: no tracker answered',
  },
  dfstore_mesh_refused_announcements_total: {
    type: 'counter',
    labels: [],
    help: 'Pieces that gateways said to hold with other bytes than those that are known',
  },
  dfstore_served_bytes_total: {
    type: 'counter',
    labels: ['source'],
    help: 'Bytes of objects sent to clients, by where they came from: memory, disk, peer or origin',
  },
  dfstore_cache_bytes: {
    type: 'gauge',
    labels: [],
    help: 'Bytes that cached pieces take on disk',
  },
  dfstore_cache_memory_bytes: {
    type: 'gauge',
    labels: [],
    help: 'Bytes of cached pieces in memory',
  },
  dfstore_cache_capacity_bytes: {
    type: 'gauge',
    labels: [],
    help: 'Bytes that cached pieces may take on the disks that are in use',
  },
  dfstore_cache_evicted_bytes_total: {
    type: 'counter',
    labels: [],
    help: 'Bytes of pieces that made room for others',
  },
  dfstore_cache_failures_total: {
    type: 'counter',
    labels: ['part'],
    help: 'Failures of the cache by part: disk, database or fill; requests are served without it',
  },
  dfstore_piece_verification_failures_total: {
    type: 'counter',
    labels: ['source'],
    help: 'Pieces whose bytes were not those their digest names, by where they came from; discarded, never served',
  },
  dfstore_received_bytes_total: {
    type: 'counter',
    labels: [],
    help: 'Bytes received from clients, headers included',
  },
  dfstore_s3_requests_total: {
    type: 'counter',
    labels: ['operation', 'status'],
    help: 'Requests answered, by S3 operation and HTTP status; status 0: the client left first',
  },
  dfstore_s3_request_duration_seconds: {
    type: 'histogram',
    labels: ['operation'],
    help: 'From the arrival of a request to the end of its answer',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
  },
  dfstore_s3_requests_in_flight: {
    type: 'gauge',
    labels: [],
    help: 'Requests being served',
  },
  dfstore_s3_connections: {
    type: 'gauge',
    labels: [],
    help: 'Connections of clients',
  },
  dfstore_s3_limited_total: {
    type: 'counter',
    labels: ['limit'],
    help: 'Requests and connections refused or cut at a limit, by the name of the limit',
  },
  dfstore_mesh_refused_total: {
    type: 'counter',
    labels: ['reason'],
    help: 'Requests to the mesh port that were not handled, by reason: proof, date, replay, certificate, limit and so on',
  },
  dfstore_mesh_trackers: {
    type: 'gauge',
    labels: [],
    help: 'Gateways on the list of those that keep track for others, as this one has it',
  },
  dfstore_mesh_membership_failures_total: {
    type: 'counter',
    labels: [],
    help: 'Reads of the list of gateways that failed; the last list is used',
  },
  dfstore_backend_up: {
    type: 'gauge',
    labels: ['backend'],
    help: '1 where the last check of a backend succeeded, 0 where it failed',
  },
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof METRICS;

/** The labels of one metric, each with its value. */
export type LabelsOf<Name extends MetricName> = Readonly<Record<(typeof METRICS)[Name]['labels'][number], string>>;
