import { expect, test } from 'vitest';
import { FdCache } from '../../src/pieces/fd-cache.ts';

function world(maxOpen: number) {
  const open = new Map<number, string>();
  const opened: string[] = [];
  let refuse: string | undefined;
  let next = 3;
  const cache = new FdCache(
    {
      files: {
        open: async (path, mode) => {
          opened.push(`${mode} ${path}`);
          await Promise.resolve();
          if (refuse !== undefined && mode !== 'read') throw Object.assign(new Error(refuse), { code: refuse });
          next += 1;
          open.set(next, path);
          return next;
        },
        close: (fd) => {
          if (!open.delete(fd)) throw new Error(`fd ${fd} was closed twice`);
          return Promise.resolve();
        },
      },
    },
    { maxOpen },
  );
  return { cache, open, opened, refuseWith: (code: string | undefined) => (refuse = code) };
}

const fdOf = (fd: number): Promise<number> => Promise.resolve(fd);

test('a file is opened once for any number of uses at once, and kept open', async () => {
  const { cache, opened } = world(10);
  const fds = await Promise.all([1, 2, 3].map(() => cache.use('a', false, fdOf)));
  expect(new Set(fds).size).toBe(1);
  expect(await cache.use('a', false, fdOf)).toBe(fds[0]);
  expect(opened).toEqual(['update a']);
});

test('no more files stay open than allowed, the least recently used go first', async () => {
  const { cache, open } = world(2);
  for (const path of ['a', 'b', 'a', 'c']) await cache.use(path, false, fdOf);
  await cache.close();
  expect(open.size).toBe(0);
  for (const path of ['a', 'b', 'a', 'c']) await cache.use(path, false, fdOf);
  await new Promise((resolve) => setImmediate(resolve));
  expect([...open.values()].toSorted()).toEqual(['a', 'c']);
});

test('a file in use is closed after its last use, never under it', async () => {
  const { cache, open } = world(1);
  await cache.use('a', false, async (fd) => {
    await cache.use('b', false, fdOf);
    cache.dismiss('a');
    await new Promise((resolve) => setImmediate(resolve));
    expect(open.get(fd)).toBe('a');
  });
  await cache.close();
  expect(open.size).toBe(0);
});

test('a failed open is told to all who asked and tried again at the next use', async () => {
  const { cache, refuseWith } = world(2);
  refuseWith('EIO');
  const asked = await Promise.allSettled([cache.use('a', false, fdOf), cache.use('a', true, fdOf)]);
  expect(asked.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  refuseWith(undefined);
  expect(await cache.use('a', false, fdOf)).toBeGreaterThan(0);
});

test('on a disk that takes no writes files are opened for reading', async () => {
  const { cache, opened, refuseWith } = world(2);
  refuseWith('EROFS');
  await cache.use('a', false, fdOf);
  expect(opened).toEqual(['update a', 'read a']);
});
