// DeleteObjects: up to 1,000 keys in one request, each with its own outcome.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
import type { DeleteOutcome, DeleteTarget } from '../../../backends/backend.ts';
import { type Answer, toS3Error } from '../answer.ts';
import { parseDeleteConditions } from '../conditions.ts';
import { S3Error } from '../errors.ts';
import { checkKey } from '../target.ts';
import type { XmlElement, XmlObject } from '../xml.ts';
import type { OperationContext } from './operation-context.ts';

const MAX_KEYS = 1000;

export async function deleteObjects(context: OperationContext): Promise<Answer> {
  requireDigest(context);
  const request = await context.body.readXml('Delete');
  const elements = request.all('Object');
  if (elements.length === 0 || elements.length > MAX_KEYS) throw new S3Error('MalformedXML');
  const quiet = request.first('Quiet')?.text.trim().toLowerCase() === 'true';

  const refused: XmlObject[] = [];
  const targets: DeleteTarget[] = [];
  for (const element of elements) {
    const target = parseTarget(element);
    try {
      targets.push(await admitted(context, element, target));
    } catch (error) {
      if (!(error instanceof S3Error)) throw error;
      refused.push(errorElement(target, error));
    }
  }
  const outcomes =
    targets.length === 0 ? [] : await context.objects.deleteMany(context.bucket, targets, context.signal);
  return {
    status: 200,
    body: {
      xml: {
        root: 'DeleteResult',
        content: {
          Deleted: quiet ? undefined : outcomes.filter((outcome) => !outcome.error).map(deletedElement),
          Error: [
            ...refused,
            ...outcomes.flatMap((outcome) => (outcome.error ? [errorElement(outcome, toS3Error(outcome.error))] : [])),
          ],
        },
      },
    },
  };
}

/** A body that was damaged on its way must not name the wrong keys. */
function requireDigest(context: OperationContext): void {
  const names = Object.keys(context.headers);
  if (
    !names.some((name) => name === 'content-md5' || name === 'x-amz-trailer' || /^x-amz-checksum-(crc|sha)/.test(name))
  ) {
    throw new S3Error('InvalidRequest', 'Missing required header for this request: Content-MD5');
  }
}

function parseTarget(element: XmlElement): DeleteTarget {
  const key = element.first('Key')?.text;
  if (key === undefined || key === '') throw new S3Error('MalformedXML');
  const versionId = element.first('VersionId')?.text.trim();
  return versionId === undefined || versionId === '' ? { key } : { key, versionId };
}

/** Throws why this key cannot be deleted; the others can all the same. */
async function admitted(context: OperationContext, element: XmlElement, target: DeleteTarget): Promise<DeleteTarget> {
  const { access, bucket, objects } = context;
  if (!(await access.isAllowed('delete', bucket, target.key, target.versionId))) throw new S3Error('AccessDenied');
  checkKey(target.key);
  const text = (name: string) => element.first(name)?.text.trim();
  const named = { etag: text('ETag'), lastModified: text('LastModifiedTime'), size: text('Size') };
  return { ...target, conditions: parseDeleteConditions(named, objects.capabilities(bucket)) };
}

function deletedElement(outcome: DeleteOutcome): XmlObject {
  const { deleted } = outcome;
  return {
    Key: outcome.key,
    VersionId: outcome.versionId,
    DeleteMarker: deleted?.deleteMarker ? true : undefined,
    DeleteMarkerVersionId: deleted?.deleteMarker ? deleted.versionId : undefined,
  };
}

function errorElement(target: DeleteTarget, error: S3Error): XmlObject {
  return { Key: target.key, VersionId: target.versionId, Code: error.code, Message: error.message };
}
