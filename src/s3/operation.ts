// From a request line to the name of an S3 operation: pure, and total in that it names an operation or throws an S3Error.
// A sub-resource nobody knows is refused: taking `PUT /bucket?newthing` for CreateBucket would do what was not asked.
import { S3Error } from './errors.ts';
import { BUCKET_SUBRESOURCES, OBJECT_SUBRESOURCES, type SubresourceOperation } from './subresources.ts';

type PlainOperation =
  | 'ListBuckets'
  | 'HeadBucket'
  | 'CreateBucket'
  | 'DeleteBucket'
  | 'ListObjects'
  | 'ListObjectsV2'
  | 'PostObject'
  | 'HeadObject'
  | 'GetObject'
  | 'PutObject'
  | 'DeleteObject'
  | 'CopyObject'
  | 'UploadPartCopy';

export type OperationName = PlainOperation | SubresourceOperation;

type Query = readonly (readonly [name: string, value: string])[];
type Headers = Readonly<Record<string, string | undefined>>;

export function detectOperation(
  method: string,
  target: { readonly bucket: string | undefined; readonly key: string | undefined },
  query: Query,
  headers: Headers,
): OperationName {
  if (target.bucket === undefined) return serviceOperation(method, query);
  if (target.key === undefined) return bucketOperation(method, query);
  return objectOperation(method, query, headers);
}

function serviceOperation(method: string, query: Query): OperationName {
  refuseUnknown(query, BUCKET_SUBRESOURCES);
  if (subresourceOf(query, BUCKET_SUBRESOURCES) !== undefined) throw new S3Error('NotImplemented');
  if (method === 'GET') return 'ListBuckets';
  throw notAllowed(method);
}

const ON_BUCKET: ReadonlyMap<string, OperationName> = new Map<string, OperationName>([
  ['HEAD', 'HeadBucket'],
  ['PUT', 'CreateBucket'],
  ['DELETE', 'DeleteBucket'],
  ['POST', 'PostObject'],
]);

function bucketOperation(method: string, query: Query): OperationName {
  refuseUnknown(query, BUCKET_SUBRESOURCES);
  const subresource = subresourceOf(query, BUCKET_SUBRESOURCES);
  if (subresource !== undefined) return operationOn(BUCKET_SUBRESOURCES[subresource], method);
  if (method === 'GET') return listOperation(query);
  const operation = ON_BUCKET.get(method);
  if (operation === undefined) throw notAllowed(method);
  return operation;
}

function listOperation(query: Query): OperationName {
  const type = query.find(([name]) => name === 'list-type')?.[1];
  if (type === undefined) return 'ListObjects';
  if (type === '2') return 'ListObjectsV2';
  throw new S3Error('InvalidArgument', 'Invalid List Type specified in Query String', {
    details: { ArgumentName: 'list-type', ArgumentValue: type },
  });
}

const ON_OBJECT: ReadonlyMap<string, OperationName> = new Map<string, OperationName>([
  ['HEAD', 'HeadObject'],
  ['GET', 'GetObject'],
  ['PUT', 'PutObject'],
  ['DELETE', 'DeleteObject'],
]);

function objectOperation(method: string, query: Query, headers: Headers): OperationName {
  refuseUnknown(query, OBJECT_SUBRESOURCES);
  const copies = headers['x-amz-copy-source'] !== undefined;
  const subresource = subresourceOf(query, OBJECT_SUBRESOURCES);
  if (subresource !== undefined) {
    const operation = operationOn(OBJECT_SUBRESOURCES[subresource], method);
    return operation === 'UploadPart' && copies ? 'UploadPartCopy' : operation;
  }
  const operation = ON_OBJECT.get(method);
  if (operation === undefined) throw notAllowed(method);
  if (operation === 'PutObject' && query.some(([name]) => name === 'partNumber')) {
    throw new S3Error('InvalidArgument', 'A part number was given without an upload ID.', {
      details: { ArgumentName: 'uploadId', ArgumentValue: '' },
    });
  }
  return operation === 'PutObject' && copies ? 'CopyObject' : operation;
}

function operationOn(methods: Readonly<Partial<Record<string, OperationName>>>, method: string): OperationName {
  const operation = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (operation === undefined) throw notAllowed(method);
  return operation;
}

/** The one sub-resource the query names. */
function subresourceOf<Table extends object>(query: Query, table: Table): (keyof Table & string) | undefined {
  if (query.length === 0) return undefined;
  const isRow = (name: string): name is keyof Table & string => Object.hasOwn(table, name);
  const named = [...new Set(query.map(([name]) => name))].filter(isRow);
  if (named.length > 1) {
    throw new S3Error('InvalidArgument', `Conflicting query string parameters: ${named.join(', ')}`, {
      details: { ArgumentName: 'ResourceType', ArgumentValue: named[0] ?? '' },
    });
  }
  return named[0];
}

/** Parameters that may come without a value and are no sub-resources. */
const MAY_BE_EMPTY = new Set([
  'continuation-token',
  'delimiter',
  'encoding-type',
  'fetch-owner',
  'id',
  'key-marker',
  'list-type',
  'marker',
  'max-buckets',
  'max-keys',
  'max-parts',
  'max-uploads',
  'part-number-marker',
  'partNumber',
  'prefix',
  'select-type',
  'start-after',
  'upload-id-marker',
  'version-id-marker',
  'versionId',
  'x-id',
]);

/** A bare word that nobody knows is a sub-resource of tomorrow; unknown parameters with a value are ignored as S3 does. */
function refuseUnknown(query: Query, table: object): void {
  for (const [name, value] of query) {
    if (value !== '' || Object.hasOwn(table, name)) continue;
    if (MAY_BE_EMPTY.has(name) || /^(x-amz-|response-)/i.test(name)) continue;
    throw new S3Error('NotImplemented', `The sub-resource '${name}' is not implemented.`);
  }
}

function notAllowed(method: string): S3Error {
  return new S3Error('MethodNotAllowed', undefined, { details: { Method: method } });
}
