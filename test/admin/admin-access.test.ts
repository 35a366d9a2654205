// Who may read the admin port.
import { expect, test } from 'vitest';
import { refusalOf } from '../../src/admin/admin-access.ts';

function request(remoteAddress: string, headers: Record<string, string>, method = 'GET') {
  return { method, headers, socket: { remoteAddress } };
}

test.each([
  ['127.0.0.1', '127.0.0.1:9001'],
  ['127.0.0.2', 'localhost'],
  ['::1', '[::1]:9001'],
  ['::ffff:127.0.0.1', 'LOCALHOST:9001'],
])('without a token, %s may ask for %s', (address, host) => {
  expect(refusalOf(request(address, { host }), undefined)).toBeUndefined();
});

test.each([
  ['10.0.0.1', '127.0.0.1:9001'],
  ['127.0.0.1', 'evil.example.com:9001'],
  ['127.0.0.1', '127.0.0.1.evil.example.com'],
  ['127.0.0.1', 'localhost.evil.example.com'],
  ['127.0.0.1', ''],
  ['2001:db8::1', 'localhost'],
  ['', 'localhost'],
])('without a token, %j may not ask for %j', (address, host) => {
  expect(refusalOf(request(address, { host }), undefined)).toMatchObject({ status: 403 });
});

test('with a token, it is what counts, from anywhere and by any name', () => {
  const from = (authorization?: string) =>
    refusalOf(request('10.0.0.1', { host: 'dfstore', ...(authorization && { authorization }) }), 'right');
  expect(from('Bearer right')).toBeUndefined();
  expect(from('bearer  right')).toBeUndefined();
  for (const wrong of [undefined, 'right', 'Bearer', 'Bearer wrong', 'Bearer righ', 'Bearer rightt', 'Basic right']) {
    expect(from(wrong)).toMatchObject({ status: 401 });
  }
  expect(refusalOf(request('127.0.0.1', { host: 'localhost' }), 'right')).toMatchObject({ status: 401 });
});

test('without a token, a page of another site sets nothing going; this machine and the own pages do', () => {
  const host = '127.0.0.1:9001';
  const post = (origin?: string) =>
    refusalOf(request('127.0.0.1', { host, ...(origin !== undefined && { origin }) }, 'POST'), undefined);
  expect(post()).toBeUndefined();
  expect(post(`http://${host}`)).toBeUndefined();
  for (const other of ['https://evil.example.com', 'http://127.0.0.1:3000', 'null', '']) {
    expect(post(other)).toMatchObject({ status: 403 });
  }
});
