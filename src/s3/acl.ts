// Access control lists, as far as S3's canned lists say them: everything belongs to the bucket's owner, and may be open
// to everybody or to everybody who signs. A list that grants one account in particular is refused rather than kept and
// not honoured: that is what bucket policies are for.
import type { CannedAcl, Capabilities } from '../../backends/backend.ts';
import { S3Error } from './errors.ts';
import { ATTRIBUTES, type XmlDocument, type XmlElement, type XmlObject } from './xml.ts';

const XSI = 'http://www.w3.org/2001/XMLSchema-instance';
const EVERYBODY = 'http://acs.amazonaws.com/groups/global/AllUsers';
const OWNER = 'owner';
const EVERYBODY_SIGNED = 'http://acs.amazonaws.com/groups/global/AuthenticatedUsers';

/** What each list grants beside the owner's full control: 'group permission'. */
const GRANTS: Readonly<Record<CannedAcl, readonly string[]>> = {
  'public-read': [`${EVERYBODY} READ`],
  'public-read-write': [`${EVERYBODY} READ`, `${EVERYBODY} WRITE`],
  'authenticated-read': [`${EVERYBODY_SIGNED} READ`],
};

/** Grant nothing beyond what the owner has. */
const PRIVATE = new Set(['private', 'bucket-owner-read', 'bucket-owner-full-control']);
/** Grant something to AWS's own services. */
const NOT_OFFERED = new Set(['aws-exec-read', 'log-delivery-write']);

export function ownerElement(account: string): XmlObject {
  return { ID: account, DisplayName: account };
}

export function isPublicAcl(acl: string | undefined): boolean {
  return acl !== undefined && Object.hasOwn(GRANTS, acl);
}

/** Undefined: the owner alone. Throws InvalidArgument, NotImplemented. */
export function parseCannedAcl(acl: string | undefined): CannedAcl | undefined {
  if (acl === undefined || PRIVATE.has(acl)) return undefined;
  if (isCannedAcl(acl)) return acl;
  if (NOT_OFFERED.has(acl)) throw notImplemented(`The canned ACL '${acl}' is not implemented.`);
  throw new S3Error('InvalidArgument', undefined, { details: { ArgumentName: 'x-amz-acl', ArgumentValue: acl } });
}

/** Throws NotImplemented where the backend would not keep it. */
export function checkAclKept(acl: CannedAcl | undefined, capabilities: Capabilities): CannedAcl | undefined {
  if (acl === undefined || capabilities.acls === true) return acl;
  throw notImplemented("This bucket's backend keeps no access lists: the configuration and policies grant access.");
}

export function aclDocument(owner: string, acl: CannedAcl | undefined): XmlDocument {
  const full = { Grantee: grantee('CanonicalUser', ownerElement(owner)), Permission: 'FULL_CONTROL' };
  const others = (acl === undefined ? [] : GRANTS[acl]).map((grant) => {
    const [URI = '', Permission = ''] = grant.split(' ');
    return { Grantee: grantee('Group', { URI }), Permission };
  });
  return {
    root: 'AccessControlPolicy',
    content: { Owner: ownerElement(owner), AccessControlList: { Grant: [full, ...others] } },
  };
}

/** The canned list that grants exactly what the document does. Throws MalformedXML, NotImplemented. */
export function parseAclDocument(policy: XmlElement, owner: string): CannedAcl | undefined {
  const list = policy.first('AccessControlList');
  if (list === undefined) throw new S3Error('MalformedXML');
  const grants = new Set<string>();
  for (const grant of list.all('Grant')) {
    const permission = grant.first('Permission')?.text.trim();
    const to = grant.first('Grantee');
    if (permission === undefined || to === undefined) throw new S3Error('MalformedXML');
    const name = to.first('ID')?.text.trim() === owner ? OWNER : (to.first('URI')?.text.trim() ?? 'somebody');
    grants.add(`${name} ${permission}`);
  }
  if (!grants.delete(`${OWNER} FULL_CONTROL`)) {
    throw notImplemented("The owner's full control cannot be taken away.");
  }
  if (grants.size === 0) return undefined;
  const found = Object.entries(GRANTS).find(
    ([, named]) => named.length === grants.size && named.every((grant) => grants.has(grant)),
  );
  if (found !== undefined && isCannedAcl(found[0])) return found[0];
  throw notImplemented(
    'Grants other than those of public-read, public-read-write and authenticated-read are not implemented: a bucket policy can say more.',
  );
}

function isCannedAcl(text: string): text is CannedAcl {
  return Object.hasOwn(GRANTS, text);
}

function grantee(type: 'CanonicalUser' | 'Group', content: XmlObject): XmlObject {
  return { [ATTRIBUTES]: { 'xmlns:xsi': XSI, 'xsi:type': type }, ...content };
}

function notImplemented(message: string): S3Error {
  return new S3Error('NotImplemented', message, { details: { Header: 'x-amz-acl' } });
}
