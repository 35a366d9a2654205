// Limits that cannot work as they are written: each is refused with the value it needs, before anything is opened.
import type { SETTINGS } from '../config.ts';
import type { ConfigOf } from './setting.ts';

type Limited = Pick<ConfigOf<typeof SETTINGS>, 'admin' | 'auth' | 'cache' | 'limits' | 'tls'>;

const KIB = 1024;
const MIB = 1024 * KIB;

/** DeleteObjects of 1,000 keys of 1,024 bytes has to fit. */
const SMALLEST_XML_LIMIT = 1_100_000;
const SMALLEST_HEADER_LIMIT = 4 * KIB;

export function checkLimits({ admin, auth, cache, limits, tls }: Limited, problems: string[]): void {
  const refuse = (wrong: boolean, problem: string): void => {
    if (wrong) problems.push(problem);
  };
  checkCache(cache, refuse);
  refuse(
    limits.xmlBytes < SMALLEST_XML_LIMIT,
    'limits.xmlBytes: must be at least 1.1MB, the size of a full DeleteObjects request',
  );
  refuse(
    limits.headerBytes < SMALLEST_HEADER_LIMIT,
    'limits.headerBytes: must be at least 4KiB; signed requests with user metadata need that much',
  );
  for (const name of ['headersTimeout', 'bodyTimeout', 'answerTimeout', 'idleTimeout'] as const) {
    refuse(limits[name] === 0, `limits.${name}: must not be 0; clients could hold connections for ever`);
  }
  refuse(admin.checkInterval === 0, 'admin.checkInterval: must not be 0; backends would be asked without a pause');
  refuse(admin.checkTimeout === 0, 'admin.checkTimeout: must not be 0; no backend answers in no time');
  refuse(tls.reloadInterval === 0, 'tls.reloadInterval: must not be 0; the files would be looked at without a pause');
  refuse(auth.reloadInterval === 0, 'auth.reloadInterval: must not be 0; the file would be looked at without a pause');
}

function checkCache(cache: Limited['cache'], refuse: (wrong: boolean, problem: string) => void): void {
  const { pieceSize, blockSize, window, inFlight, disks } = cache;
  refuse(pieceSize < MIB || pieceSize > 64 * MIB, 'cache.pieceSize: must be from 1MiB to 64MiB');
  refuse(
    blockSize < 64 * KIB || blockSize > pieceSize,
    'cache.blockSize: must be at least 64KiB, and no more than cache.pieceSize',
  );
  refuse(window < blockSize, 'cache.window: must be at least cache.blockSize; blocks are verified whole');
  refuse(inFlight < window, 'cache.inFlight: must be at least cache.window; one piece has to fit');
  refuse(disks?.length === 0, 'cache.disks: must name at least one directory; cache.enabled: false goes without');
}
