// One sound request of every operation, as a client would make it on a bucket with one object; each leaves behind what
// the ones after it need, and says 'success' or the error it got.
import { createHash } from 'node:crypto';
import type { OperationName } from '../../src/s3/operation.ts';
import { BUCKET, BYTES, KEY } from '../support/every-backend.ts';
import { formRequest, signedFields } from '../support/posted-form.ts';
import { type RawAnswer, type RawRequest, sendRaw } from '../support/signed-request.ts';

type Example = (port: number) => Promise<string>;

const OBJECT = `/${BUCKET}/${KEY}`;
const UPLOADED = `/${BUCKET}/uploaded`;
const SOURCE = { 'x-amz-copy-source': OBJECT };
const PRIVATE = { 'x-amz-acl': 'private' };
const TAGS = '<Tagging><TagSet><Tag><Key>purpose</Key><Value>example</Value></Tag></TagSet></Tagging>';
const CORS =
  '<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>';
const POLICY = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${BUCKET}/public/*` }],
});
const BLOCK =
  '<PublicAccessBlockConfiguration><BlockPublicPolicy>true</BlockPublicPolicy></PublicAccessBlockConfiguration>';
const SUSPENDED = '<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>';
const DELETION = `<Delete><Object><Key>written</Key></Object></Delete>`;

/** What the upload of the examples is called by each gateway they run against. */
const uploads = new Map<number, { readonly uploadId: string; etag: string }>();

/** In this order: what is made is deleted again, what is begun is ended. */
export const EXAMPLES: Partial<Record<OperationName, Example>> = {
  ListBuckets: sending({ path: '/' }),
  CreateBucket: sending({ method: 'PUT', path: '/made-by-example' }),
  HeadBucket: sending({ method: 'HEAD', path: `/${BUCKET}` }),
  DeleteBucket: async (port) => {
    const made = await send(port, { method: 'DELETE', path: '/made-by-example' });
    // Where none could be made, the one that is there is as good for being refused.
    return made === '404 NoSuchBucket' ? send(port, { method: 'DELETE', path: `/${BUCKET}` }) : made;
  },
  GetBucketLocation: sending({ path: `/${BUCKET}?location` }),
  GetBucketVersioning: sending({ path: `/${BUCKET}?versioning` }),
  GetBucketRequestPayment: sending({ path: `/${BUCKET}?requestPayment` }),
  GetBucketAccelerateConfiguration: sending({ path: `/${BUCKET}?accelerate` }),
  GetBucketLogging: sending({ path: `/${BUCKET}?logging` }),
  GetBucketNotificationConfiguration: sending({ path: `/${BUCKET}?notification` }),
  PutBucketCors: sending({ method: 'PUT', path: `/${BUCKET}?cors`, body: CORS }),
  GetBucketCors: reading(`/${BUCKET}?cors`, 'NoSuchCORSConfiguration'),
  DeleteBucketCors: sending({ method: 'DELETE', path: `/${BUCKET}?cors` }),
  PutBucketTagging: sending({ method: 'PUT', path: `/${BUCKET}?tagging`, body: TAGS }),
  GetBucketTagging: reading(`/${BUCKET}?tagging`, 'NoSuchTagSet'),
  DeleteBucketTagging: sending({ method: 'DELETE', path: `/${BUCKET}?tagging` }),
  PutBucketPolicy: sending({ method: 'PUT', path: `/${BUCKET}?policy`, body: POLICY }),
  GetBucketPolicy: reading(`/${BUCKET}?policy`, 'NoSuchBucketPolicy'),
  GetBucketPolicyStatus: sending({ path: `/${BUCKET}?policyStatus` }),
  DeleteBucketPolicy: sending({ method: 'DELETE', path: `/${BUCKET}?policy` }),
  PutPublicAccessBlock: sending({ method: 'PUT', path: `/${BUCKET}?publicAccessBlock`, body: BLOCK }),
  GetPublicAccessBlock: reading(`/${BUCKET}?publicAccessBlock`, 'NoSuchPublicAccessBlockConfiguration'),
  DeletePublicAccessBlock: sending({ method: 'DELETE', path: `/${BUCKET}?publicAccessBlock` }),
  GetBucketAcl: sending({ path: `/${BUCKET}?acl` }),
  PutBucketAcl: sending({ method: 'PUT', path: `/${BUCKET}?acl`, headers: PRIVATE }),
  DeleteBucketEncryption: sending({ method: 'DELETE', path: `/${BUCKET}?encryption` }),
  DeleteBucketLifecycleConfiguration: sending({ method: 'DELETE', path: `/${BUCKET}?lifecycle` }),
  DeleteBucketOwnershipControls: sending({ method: 'DELETE', path: `/${BUCKET}?ownershipControls` }),
  DeleteBucketReplication: sending({ method: 'DELETE', path: `/${BUCKET}?replication` }),
  DeleteBucketWebsite: sending({ method: 'DELETE', path: `/${BUCKET}?website` }),
  ListObjects: sending({ path: `/${BUCKET}?delimiter=%2F` }),
  ListObjectsV2: sending({ path: `/${BUCKET}?list-type=2&prefix=folder%2F` }),
  PutBucketVersioning: sending({ method: 'PUT', path: `/${BUCKET}?versioning`, body: SUSPENDED }),
  ListObjectVersions: sending({ path: `/${BUCKET}?versions` }),
  GetObject: sending({ path: OBJECT, headers: { range: 'bytes=4-8' } }),
  HeadObject: sending({ method: 'HEAD', path: OBJECT }),
  GetObjectAcl: sending({ path: `${OBJECT}?acl` }),
  GetObjectAttributes: sending({ path: `${OBJECT}?attributes`, headers: { 'x-amz-object-attributes': 'ObjectSize' } }),
  PutObjectTagging: sending({ method: 'PUT', path: `${OBJECT}?tagging`, body: TAGS }),
  GetObjectTagging: sending({ path: `${OBJECT}?tagging` }),
  DeleteObjectTagging: sending({ method: 'DELETE', path: `${OBJECT}?tagging` }),
  PutObjectAcl: sending({ method: 'PUT', path: `${OBJECT}?acl`, headers: PRIVATE }),
  PutObject: sending({ method: 'PUT', path: `/${BUCKET}/written`, body: BYTES }),
  PostObject: (port) => {
    const terms = { conditions: [{ bucket: BUCKET }, { key: 'posted' }] };
    const fields = [['key', 'posted'] as const, ...signedFields(terms)];
    return send(port, formRequest(`/${BUCKET}`, { fields, file: { content: BYTES } }));
  },
  CopyObject: sending({ method: 'PUT', path: `/${BUCKET}/copied`, headers: SOURCE }),
  DeleteObject: sending({ method: 'DELETE', path: `/${BUCKET}/copied` }),
  DeleteObjects: sending({
    method: 'POST',
    path: `/${BUCKET}?delete`,
    body: DELETION,
    headers: { 'content-md5': createHash('md5').update(DELETION).digest('base64') },
  }),
  CreateMultipartUpload: (port) => begin(port),
  UploadPart: (port) => uploadPart(port),
  UploadPartCopy: (port) => send(port, { method: 'PUT', path: partPath(port, 2), headers: SOURCE }),
  ListParts: (port) => send(port, { path: uploadPath(port) }),
  ListMultipartUploads: sending({ path: `/${BUCKET}?uploads` }),
  CompleteMultipartUpload: (port) => {
    const part = `<Part><PartNumber>1</PartNumber><ETag>${uploads.get(port)?.etag ?? 'none'}</ETag></Part>`;
    const body = `<CompleteMultipartUpload>${part}</CompleteMultipartUpload>`;
    return send(port, { method: 'POST', path: uploadPath(port), body });
  },
  AbortMultipartUpload: async (port) => {
    await begin(port);
    return send(port, { method: 'DELETE', path: uploadPath(port) });
  },
};

function sending(request: RawRequest): Example {
  return (port) => send(port, request);
}

/** Of what is set on a bucket; that there is nothing is an answer too. */
function reading(path: string, nothing: string): Example {
  return async (port) => {
    const met = await send(port, { path });
    return met === `404 ${nothing}` ? 'success' : met;
  };
}

async function send(port: number, request: RawRequest): Promise<string> {
  return outcomeOf(await sendRaw(port, request));
}

async function begin(port: number): Promise<string> {
  const answer = await sendRaw(port, { method: 'POST', path: `${UPLOADED}?uploads` });
  uploads.set(port, { uploadId: answer.element('UploadId') ?? 'none', etag: 'none' });
  return outcomeOf(answer);
}

async function uploadPart(port: number): Promise<string> {
  const answer = await sendRaw(port, { method: 'PUT', path: partPath(port, 1), body: BYTES });
  const upload = uploads.get(port);
  if (upload !== undefined) upload.etag = answer.headers.etag ?? 'none';
  return outcomeOf(answer);
}

function uploadPath(port: number): string {
  return `${UPLOADED}?uploadId=${encodeURIComponent(uploads.get(port)?.uploadId ?? 'none')}`;
}

function partPath(port: number, partNumber: number): string {
  return uploadPath(port).replace('?', `?partNumber=${partNumber}&`);
}

function outcomeOf(answer: RawAnswer): string {
  const failure = answer.element('Code');
  return answer.status < 300 && failure === undefined ? 'success' : `${answer.status} ${failure ?? ''}`.trim();
}
