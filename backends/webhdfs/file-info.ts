// What HDFS knows of a file as the record of an object. HDFS keeps no etag: the file's number, its length and its time
// of modification, in milliseconds, name its bytes. A gateway such as HttpFS that does not tell the number leaves an
// object without identity, because copies may keep length and time.
import type { ObjectInfo, ObjectSummary } from '../backend.ts';
import type { FileStatus } from './protocol.ts';

export function fileInfo(key: string, status: FileStatus): ObjectInfo {
  return {
    ...fileSummary(key, status),
    headers: { contentType: 'application/octet-stream' },
    metadata: {},
    identity: status.fileId === undefined ? 'none' : 'strong',
  };
}

export function fileSummary(key: string, status: FileStatus): ObjectSummary {
  return {
    key,
    sizeBytes: status.length,
    etag: [status.fileId ?? 'none', status.length, status.modificationTime].join('-'),
    lastModified: new Date(status.modificationTime),
  };
}
