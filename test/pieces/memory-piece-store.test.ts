import { pieceStoreContract } from '../contracts/piece-store.ts';
import { MemoryPieceStore } from '../support/memory-piece-store.ts';

pieceStoreContract('in memory', (blockSize) => {
  const store = new MemoryPieceStore({ blockSize });
  return Promise.resolve({ store, close: () => store.close() });
});
