// What changes in the index when an object is in its place, and when a multipart upload has ended.
import type { ObjectRef } from '../backend.ts';
import type { RowChange, Rows } from './object-index.ts';
import { type ObjectRow, type PartRow, type Placement, rowName } from './records.ts';

export async function placedRows(rows: Rows, placement: Placement & { path: string }): Promise<RowChange[]> {
  const { ref, path, row, parts, uploadId, changes: others = [] } = placement;
  const partsName = rowName.objectParts(ref);
  const changes: RowChange[] = [
    { type: 'put', key: rowName.object(ref), value: { ...row, path } satisfies ObjectRow },
    parts === undefined ? { type: 'del', key: partsName } : { type: 'put', key: partsName, value: parts },
    ...others,
  ];
  return uploadId === undefined ? changes : [...changes, ...(await uploadEnded(rows, { ...ref, uploadId }))];
}

export async function uploadEnded(rows: Rows, upload: ObjectRef & { uploadId: string }): Promise<RowChange[]> {
  const parts = await rows.all<PartRow>(`p${upload.uploadId}\0`);
  return [{ type: 'del', key: rowName.upload(upload) }, ...parts.map(([key]) => ({ type: 'del', key }) as const)];
}
