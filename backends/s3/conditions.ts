// Which conditions on a read are left to the origin. S3 takes one etag a header; lists and '*' are decided here, from
// the record that comes with the answer. Where one condition makes another void (RFC 9110 §13.2.2) the void one is not
// sent, because servers differ in knowing that.
import type { ReadConditions } from '../backend.ts';
import { quoted } from './translate.ts';

export interface ConditionFields {
  IfMatch?: string;
  IfNoneMatch?: string;
  IfModifiedSince?: Date;
  IfUnmodifiedSince?: Date;
}

export function toReadConditionFields(conditions: ReadConditions | undefined): ConditionFields {
  if (conditions === undefined) return {};
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = conditions;
  const match = single(ifMatch);
  const noneMatch = single(ifNoneMatch);
  return {
    ...(match !== undefined && { IfMatch: match }),
    ...(noneMatch !== undefined && { IfNoneMatch: noneMatch }),
    ...(ifMatch === undefined && ifUnmodifiedSince !== undefined && { IfUnmodifiedSince: ifUnmodifiedSince }),
    ...(ifNoneMatch === undefined && ifModifiedSince !== undefined && { IfModifiedSince: ifModifiedSince }),
  };
}

function single(etags: readonly string[] | undefined): string | undefined {
  const [first, ...more] = etags ?? [];
  return first === undefined || first === '*' || more.length > 0 ? undefined : quoted(first);
}
