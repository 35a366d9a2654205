// Access control lists, as far as they say what is true here: everything belongs to the bucket's owner. A list that
// grants anyone else anything is refused rather than kept and not honoured.
import { S3Error } from './errors.ts';
import { ATTRIBUTES, type XmlDocument, type XmlElement, type XmlObject } from './xml.ts';

const XSI = 'http://www.w3.org/2001/XMLSchema-instance';

export function ownerElement(account: string): XmlObject {
  return { ID: account, DisplayName: account };
}

export function aclDocument(owner: string): XmlDocument {
  const grantee = { [ATTRIBUTES]: { 'xmlns:xsi': XSI, 'xsi:type': 'CanonicalUser' }, ...ownerElement(owner) };
  return {
    root: 'AccessControlPolicy',
    content: {
      Owner: ownerElement(owner),
      AccessControlList: { Grant: { Grantee: grantee, Permission: 'FULL_CONTROL' } },
    },
  };
}

/** Canned lists that grant nothing beyond what the owner has. */
const PRIVATE = new Set(['private', 'bucket-owner-read', 'bucket-owner-full-control']);
const PUBLIC = new Set([
  'public-read',
  'public-read-write',
  'authenticated-read',
  'aws-exec-read',
  'log-delivery-write',
]);

export function isPublicAcl(acl: string | undefined): boolean {
  return acl !== undefined && PUBLIC.has(acl);
}

export function checkCannedAcl(acl: string | undefined): void {
  if (acl === undefined || PRIVATE.has(acl)) return;
  if (PUBLIC.has(acl)) {
    throw new S3Error(
      'NotImplemented',
      `The canned ACL '${acl}' is not implemented: access is granted by the gateway's configuration.`,
      {
        details: { Header: 'x-amz-acl' },
      },
    );
  }
  throw new S3Error('InvalidArgument', undefined, { details: { ArgumentName: 'x-amz-acl', ArgumentValue: acl } });
}

/** Accepts a list that says what is so already. */
export function checkAclDocument(policy: XmlElement, owner: string): void {
  const list = policy.first('AccessControlList');
  if (list === undefined) throw new S3Error('MalformedXML');
  for (const grant of list.all('Grant')) {
    const grantee = grant.first('Grantee')?.first('ID')?.text.trim();
    const permission = grant.first('Permission')?.text.trim();
    if (permission === undefined) throw new S3Error('MalformedXML');
    if (grantee !== owner) {
      throw new S3Error(
        'NotImplemented',
        "Grants to others than the owner are not implemented: access is granted by the gateway's configuration.",
      );
    }
  }
}
