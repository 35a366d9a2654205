// PostObject: what a form asks for was made a PUT on the way here; its answer is worded for a browser.
// https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
import type { Answer } from '../answer.ts';
import { decodeHeader } from '../header-text.ts';
import { encodeKey } from '../target.ts';
import type { OperationContext } from './operation-context.ts';
import { putObject } from './put-object.ts';

export async function postObject(context: OperationContext): Promise<Answer> {
  const { bucket, key, endpoint, headers } = context;
  const put = await putObject(context);
  const etag = put.headers?.ETag ?? '';
  const redirect = redirectUrl(headers.success_action_redirect ?? headers.redirect);
  if (redirect !== undefined) {
    for (const [name, value] of Object.entries({ bucket, key, etag })) redirect.searchParams.append(name, value);
    return { status: 303, headers: { ...put.headers, Location: redirect.href } };
  }
  const location = `${endpoint}/${bucket}/${encodeKey(key)}`;
  const described = { ...put.headers, Location: location };
  switch (headers.success_action_status) {
    case '200':
      return { status: 200, headers: described };
    case '201': {
      const content = { Location: location, Bucket: bucket, Key: key, ETag: etag };
      return { status: 201, headers: described, body: { xml: { root: 'PostResponse', namespace: '', content } } };
    }
    default:
      return { status: 204, headers: described };
  }
}

/** Undefined: there is none, or it is not one that a browser may be sent to; S3 ignores such. */
function redirectUrl(header: string | undefined): URL | undefined {
  const text = decodeHeader(header ?? '');
  return /^https?:\/\//i.test(text) && URL.canParse(text) ? new URL(text) : undefined;
}
