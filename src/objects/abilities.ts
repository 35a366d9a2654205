// What the origin of a bucket may lack: given back bound to it, or refused as NotSupported.
import {
  type Backend,
  BackendError,
  type Buckets,
  type Multipart,
  type ObjectAcls,
  type Tagging,
} from '../../backends/backend.ts';
import type { Route } from './bucket-map.ts';

export function ability<Name extends 'put' | 'delete' | 'deleteMany'>(
  route: Route,
  name: Name,
): NonNullable<Backend[Name]> {
  const member = route.backend[name];
  if (member === undefined) throw notSupported(route, name);
  return member.bind(route.backend) as NonNullable<Backend[Name]>;
}

export function multipartOf(route: Route): Multipart {
  const { multipart } = route.backend;
  if (multipart === undefined) throw notSupported(route, 'multipart uploads');
  return multipart;
}

export function bucketsOf(route: Route): Buckets {
  const { buckets } = route.backend;
  if (buckets === undefined) throw notSupported(route, 'making or deleting buckets');
  return buckets;
}

export function taggingOf(route: Route): Tagging {
  const { tagging } = route.backend;
  if (tagging === undefined) throw notSupported(route, 'reading or changing the tags of objects');
  return tagging;
}

export function aclsOf(route: Route): ObjectAcls {
  const { acls } = route.backend;
  if (acls === undefined) throw notSupported(route, 'access lists of objects');
  return acls;
}

export function notSupported(route: Route, what: string): BackendError {
  return new BackendError('NotSupported', `The ${route.backend.kind} backend does not offer ${what}.`);
}
