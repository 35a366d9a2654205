import { pieceStoreContract } from '../contracts/piece-store.ts';
import { openDiskShelf } from '../support/disk-shelf.ts';

for (const verify of ['first', 'always'] as const) {
  pieceStoreContract(`on one disk, verify: ${verify}`, (blockSize) => openDiskShelf({ blockSize, verify }));
}
pieceStoreContract('on three disks', (blockSize) => openDiskShelf({ blockSize, verify: 'first', disks: 3 }));
