// A posted form as the request for a PUT that it amounts to: who signed it, which key it is for, its fields as headers
// and its file as the body. Nothing of the file is written before the policy was found to allow it.
// https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
import type { IncomingMessage } from 'node:http';
import type { Authenticator, Identity } from '../auth/authenticate.ts';
import { S3Error } from '../errors.ts';
import type { S3Request } from '../request.ts';
import { checkKey } from '../target.ts';
import { parseXml } from '../xml.ts';
import { openFormFile } from './form-file.ts';
import { type FormLimits, formBoundary, readFormHead } from './multipart-form.ts';
import { checkPostPolicy, parsePostPolicy } from './post-policy.ts';

export interface FormOptions extends FormLimits {
  /** Forms with this much or less left, file included, are held in memory. */
  readonly wholeFormBytes: number;
}

export interface OpenedForm {
  readonly identity: Identity;
  readonly request: S3Request & { readonly key: string };
}

/** `request` is the one that `incoming` is. */
export async function openForm(
  incoming: IncomingMessage,
  request: S3Request,
  deps: { readonly authenticator: Pick<Authenticator, 'authenticateForm'>; readonly now: () => Date },
  options: FormOptions,
): Promise<OpenedForm> {
  const boundary = formBoundary(request.headers['content-type']);
  const bodyBytes = lengthOf(request.headers['content-length']);
  request.proceed();
  const head = await readFormHead(incoming, boundary, options);
  const { fields } = head;
  const identity = deps.authenticator.authenticateForm(fields);
  const key = keyOf(fields.get('key'), head.fileName);
  const policy = parsedPolicy(fields.get('policy'));
  const headers = await headersOf(fields);
  const file = await openFormFile(incoming, head, bodyBytes, options);
  if (policy !== undefined) {
    const given = new Map(fields).set('bucket', request.bucket ?? '').set('key', key);
    checkPostPolicy(policy, { fields: given, fileBytes: file.sizeBytes, now: deps.now() });
  }
  return {
    identity,
    request: {
      ...request,
      key,
      query: [],
      headers: { ...headers, 'content-length': String(file.sizeBytes) },
      body: file.stream,
      proceed: () => undefined,
    },
  };
}

function parsedPolicy(policy: string | undefined): ReturnType<typeof parsePostPolicy> | undefined {
  return policy === undefined ? undefined : parsePostPolicy(policy);
}

function lengthOf(header: string | undefined): number {
  const length = header !== undefined && /^\d{1,16}$/.test(header) ? Number(header) : Number.NaN;
  if (Number.isSafeInteger(length)) return length;
  throw new S3Error('MissingContentLength');
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: what clients write, to the letter
const FILE_NAME = '${filename}';

function keyOf(field: string | undefined, fileName: string): string {
  if (!field) {
    throw new S3Error(
      'InvalidArgument',
      "Bucket POST must contain a field named 'key'. If it is specified, please check the order of the fields.",
      { details: { ArgumentName: 'key', ArgumentValue: '' } },
    );
  }
  const key = field.replaceAll(FILE_NAME, () => fileName);
  checkKey(key);
  return key;
}

/** Fields that say of the object what headers of a PUT say, under the headers' names. */
const OF_THE_OBJECT =
  /^(cache-control|content-(type|disposition|encoding|language)|expires|success_action_(status|redirect)|redirect|x-amz-.+)$/;
const OF_THE_SIGNATURE = /^x-amz-(algorithm|credential|date|signature|security-token|trailer|content-sha256)$/;

/** As Node gives headers: bytes as latin1. */
async function headersOf(fields: ReadonlyMap<string, string>): Promise<Record<string, string>> {
  const headers = [...fields].filter(([name]) => OF_THE_OBJECT.test(name) && !OF_THE_SIGNATURE.test(name));
  const acl = fields.get('acl');
  if (acl !== undefined) headers.push(['x-amz-acl', acl]);
  const tagging = fields.get('tagging');
  if (tagging !== undefined) headers.push(['x-amz-tagging', await tagsOf(tagging)]);
  return Object.fromEntries(headers.map(([name, value]) => [name, Buffer.from(value, 'utf8').toString('latin1')]));
}

/** A form's tags are a document; a header's are a query string. */
async function tagsOf(document: string): Promise<string> {
  const tagging = await parseXml(Buffer.from(document, 'utf8'), 'Tagging');
  const tags = tagging.first('TagSet')?.all('Tag') ?? [];
  const pairs = new URLSearchParams();
  for (const tag of tags) pairs.append(tag.first('Key')?.text ?? '', tag.first('Value')?.text ?? '');
  return pairs.toString();
}
