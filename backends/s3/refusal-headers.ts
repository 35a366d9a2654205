// What the headers of a refusal tell of the object. To the SDK a refusal is an error, whose fields are none of the
// object's; the headers are with the answer that it keeps.
import type { DeleteMarkerInfo, ToldInfo } from '../backend.ts';
import { toEtag } from './translate.ts';

/** Of a 304. Undefined where it names no etag, as some servers'. */
export function unchangedInfo(error: Error): ToldInfo | undefined {
  const headers = answerHeaders(error);
  const etag = headers.etag;
  if (etag === undefined) return undefined;
  const lastModified = new Date(headers['last-modified'] ?? '');
  return {
    etag: toEtag(etag),
    ...(!Number.isNaN(lastModified.getTime()) && { lastModified }),
    headers: { cacheControl: headers['cache-control'] },
    versionId: headers['x-amz-version-id'],
  };
}

/** The delete marker that hides the object, where the answer tells of one. */
export function hidingMarker(error: Error): DeleteMarkerInfo | undefined {
  const headers = answerHeaders(error);
  if (headers['x-amz-delete-marker'] !== 'true') return undefined;
  return { versionId: headers['x-amz-version-id'] ?? 'null' };
}

/** As request-handler.ts gave them to the SDK: lower-case names. */
function answerHeaders(error: Error): Readonly<Record<string, string | undefined>> {
  const answer: unknown = '$response' in error ? error.$response : undefined;
  if (typeof answer !== 'object' || answer === null || !('headers' in answer)) return {};
  return answer.headers as Record<string, string>;
}
