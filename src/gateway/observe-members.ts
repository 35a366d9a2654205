// What the membership of the mesh tells, as metrics and log lines.
import type { Logger } from 'pino';
import type { Metrics } from '../admin/metrics.ts';
import type { MembersObserver, Mislisted } from '../mesh/members.ts';

const MISLISTED: Readonly<Record<Mislisted, string>> = {
  missing:
    'This gateway is not on the list of gateways, so that nobody asks it; it must be there as mesh.advertise says.',
  peer: 'This gateway is a peer, and on the list of those that keep track for others; take it off (mesh.members).',
  empty: 'The list of gateways is empty; this gateway shares nothing until it names one (mesh.members).',
};

export function observeMembers(deps: {
  log: Pick<Logger, 'info' | 'warn'>;
  metrics: Pick<Metrics, 'count' | 'set'>;
}): MembersObserver {
  const { log, metrics } = deps;
  return {
    changed: (trackers) => {
      metrics.set('dfstore_mesh_trackers', {}, trackers.length);
      log.info({ trackers: trackers.length }, 'The list of gateways that keep track for others has changed.');
    },
    readFailed: ({ error, first }) => {
      metrics.count('dfstore_mesh_membership_failures_total', {});
      if (first) {
        log.warn(
          { err: error },
          'The list of gateways cannot be read; the last one is used until it can (mesh.members).',
        );
      }
    },
    recovered: () => log.info('The list of gateways can be read again.'),
    mislisted: ({ self, reason }) => log.warn({ self: self.id, role: self.role }, MISLISTED[reason]),
    leaveFailed: (error) =>
      log.warn(
        { err: error },
        'This gateway could not be taken off the list of gateways; others find that it is gone.',
      ),
  };
}
