// The judge of the fuzz run sees what no client may be answered.
import { describe, expect, test } from 'vitest';
import { judge, readAnswers } from './answers.ts';

const ID = 'x-amz-request-id: A1\r\n';
const XML = 'Content-Type: application/xml\r\n';
const answer = (status: string, headers: string, body = '') =>
  `HTTP/1.1 ${status}\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
const ERROR = '<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>';

async function judged(text: string, method = 'GET'): Promise<number> {
  const [first] = readAnswers(Buffer.from(text), [method]);
  if (first === undefined) throw new Error('There is no answer.');
  await judge(first, method);
  return first.status;
}

describe('what is as it should be', () => {
  test.each([
    ['an error', 'GET', answer('404 Not Found', ID + XML, ERROR), 404],
    ['an error to HEAD', 'HEAD', `HTTP/1.1 404 Not Found\r\n${ID}\r\n`, 404],
    ['an object', 'GET', answer('200 OK', `${ID}x-dfstore-source: disk\r\nContent-Type: text/plain\r\n`, '<'), 200],
    ['nothing', 'DELETE', `HTTP/1.1 204 No Content\r\n${ID}\r\n`, 204],
    ['an answer after an interim one', 'PUT', `HTTP/1.1 100 Continue\r\n\r\n${answer('200 OK', ID)}`, 200],
    ['chunks', 'POST', `HTTP/1.1 200 OK\r\n${ID}${XML}Transfer-Encoding: chunked\r\n\r\n4\r\n<a/>\r\n0\r\n\r\n`, 200],
  ])('%s', async (_, method, text, status) => {
    expect(await judged(text, method)).toBe(status);
  });

  test('answers that come together are told apart', () => {
    const two = answer('200 OK', ID + XML, '<a/>') + answer('404 Not Found', ID + XML, ERROR);
    expect(readAnswers(Buffer.from(two), ['GET', 'GET']).map(({ status }) => status)).toEqual([200, 404]);
  });
});

describe('what no client may be answered', () => {
  test.each([
    ['a 500', answer('500 Internal Server Error', ID + XML, ERROR), 'no reason'],
    ['an error without a word', answer('400 Bad Request', ID), 'without saying why'],
    [
      'an error in another form',
      answer('400 Bad Request', `${ID}Content-Type: application/json\r\n`, '{}'),
      'not declared as XML',
    ],
    ['XML that is none', answer('400 Bad Request', ID + XML, '<Error><Code>'), 'Unclosed root tag'],
    ['another document than an error', answer('400 Bad Request', ID + XML, '<html/>'), 'no S3 error'],
    ['no request id', answer('404 Not Found', XML, ERROR), 'without a request id'],
    ['less than was promised', `HTTP/1.1 200 OK\r\n${ID}Content-Length: 9\r\n\r\nshort`, 'cut short'],
    ['chunks without an end', `HTTP/1.1 200 OK\r\n${ID}Transfer-Encoding: chunked\r\n\r\n4\r\n<a/>\r\n`, 'cut short'],
    ['no HTTP', 'nonsense', 'no HTTP head'],
  ])('%s', async (_, text, why) => {
    await expect(judged(text)).rejects.toThrow(why);
  });
});
