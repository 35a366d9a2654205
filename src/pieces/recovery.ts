// How a shelf is found again after any end: LevelDB is trusted for what is there, the directories for what is not.
// Loading reads rows only; sweeping, in the background, removes files that no row names, discards rows whose file is
// missing, and brings half-filled pieces in line with their marks. No byte is read: digests prove bytes when read.

import { bytesOf } from './blocks.ts';
import { Disk } from './disk.ts';
import { errorCode } from './files.ts';
import type { PieceRecord, RecordHead } from './piece-record.ts';
import type { Shelf } from './shelf.ts';
import { type ShelvedPiece, shelvedPiece } from './shelved-piece.ts';

/** Half-filled pieces looked at at once. */
const LANES = 4;

/** Puts on the shelf what LevelDB knows. Rows that cannot be meant (unreadable, staged, of no disk) are deleted. */
export async function loadShelf(shelf: Shelf): Promise<void> {
  const disks = new Map(shelf.disks.map((disk) => [disk.id, disk]));
  const found: { shelved: ShelvedPiece; madeAt: number }[] = [];
  try {
    for await (const rows of shelf.db.heads()) {
      for (const [key, head] of rows) {
        const disk = head === undefined ? undefined : disks.get(head.disk);
        if (head === undefined || disk === undefined || !isMeant(head)) shelf.db.delete(key);
        else found.push({ shelved: shelvedPiece(key, disk, lengthOf(head), head), madeAt: head.madeAt });
      }
    }
  } catch (error) {
    shelf.observer.databaseFailed({ error, lost: 0 });
  }
  found.sort((a, b) => a.madeAt - b.madeAt);
  for (const { shelved } of found) {
    shelved.disk.usedBytes += shelved.allocatedBytes;
    shelf.add(shelved, true);
  }
  for (const disk of shelf.disks) shelf.settle(disk);
}

/** A version on its way to the origin has no etag: nobody can ask for it after the process that staged it ended. */
function isMeant(head: RecordHead): boolean {
  return head.fields.etag !== '' && Disk.isFileName(head.file) && !head.held.isEmpty;
}

function lengthOf({ fields, index }: RecordHead): number {
  return Math.min(fields.pieceSize, fields.size - index * fields.pieceSize);
}

/** Sweeps one disk; false when the disk failed on the way, and the sweep is to be made again when it is back. */
export async function sweepDisk(shelf: Shelf, disk: Disk, signal: AbortSignal): Promise<boolean> {
  const unseen = new Map<string, ShelvedPiece>();
  for (const shelved of shelf.pieces.values()) {
    if (shelved.disk === disk && !disk.isOwn(shelved.file)) unseen.set(shelved.file, shelved);
  }
  const halfFilled = [...unseen.values()].filter((shelved) => !shelved.held.isFull);
  if (!(await removeOrphans(disk, unseen, signal))) return false;
  for (const shelved of unseen.values()) await shelf.discard(shelved, 'missing');
  const lanes = Array.from({ length: LANES }, async () => {
    for (let next = halfFilled.pop(); next !== undefined && !signal.aborted; next = halfFilled.pop()) {
      if (!next.gone) await bringInLine(shelf, next);
    }
  });
  await Promise.all(lanes);
  return disk.state !== 'out' && !signal.aborted;
}

/** Takes from `unseen` what it sees; false when it did not get to the end. */
async function removeOrphans(disk: Disk, unseen: Map<string, ShelvedPiece>, signal: AbortSignal): Promise<boolean> {
  try {
    for await (const files of disk.list()) {
      if (signal.aborted) return false;
      for (const file of files) {
        if (!disk.isOwn(file) && !unseen.delete(file) && Disk.isFileName(file)) await disk.remove(file, 0);
      }
    }
    return true;
  } catch (error) {
    disk.failed(error);
    return false;
  }
}

async function bringInLine(shelf: Shelf, shelved: ShelvedPiece): Promise<void> {
  const mine = shelved.draft === undefined;
  shelved.draft ??= reconcile(shelf, shelved);
  await shelved.draft;
  // Whoever writes meanwhile uses the same draft and lets go of it when done.
  if (mine && !shelf.isWriting(shelved.key)) shelved.draft = undefined;
}

/**
 * The record of a half-filled piece to write on with, after its file holds what is marked and no more: blocks that
 * were written but not marked when the process died are cut off at the file's end; where they stand in the middle, the
 * piece is discarded. Undefined: there is nothing to write on with.
 */
export async function reconcile(shelf: Shelf, shelved: ShelvedPiece): Promise<PieceRecord | undefined> {
  const { disk, file, held, lengthBytes, blockSize } = shelved;
  const record = await shelf.recordOf(shelved);
  if (record === undefined) return undefined;
  try {
    const { end } = bytesOf({ first: 0, end: held.last + 1 }, lengthBytes, blockSize);
    const allocatedBytes = await disk.cutTo(file, end);
    // One unit for what the file system itself keeps for a file in many parts.
    if (allocatedBytes <= shelved.allocatedBytes + disk.unitBytes) return record;
    await shelf.discard(shelved);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') await shelf.discard(shelved, 'missing');
    else disk.failed(error);
  }
  return undefined;
}
