// The trackers as a name of the DNS gives them.
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { DnsMembers, familyOf } from '../../src/mesh/providers/dns-members.ts';

const never = new AbortController().signal;
const name = { host: 'dfstore-mesh', port: 9002 };

function failing(code: string): () => Promise<never> {
  return () => Promise.reject(Object.assign(new Error(`getaddrinfo ${code} dfstore-mesh`), { code }));
}

test('each address of the name is a gateway at its port', async () => {
  const asked: string[] = [];
  const lookup = async (host: string, family: 4 | 6) => {
    asked.push(`${host} ${family}`);
    return family === 4 ? ['10.0.0.7', '10.0.0.8'] : ['fd00::7'];
  };
  expect(await new DnsMembers({ name, family: 4 }, { lookup }).read(never)).toEqual(['10.0.0.7:9002', '10.0.0.8:9002']);
  expect(await new DnsMembers({ name, family: 6 }, { lookup }).read(never)).toEqual(['[fd00::7]:9002']);
  expect(asked).toEqual(['dfstore-mesh 4', 'dfstore-mesh 6']);
  expect([familyOf('10.0.0.7'), familyOf('fd00::7'), familyOf('node-7')]).toEqual([4, 6, 4]);
});

test('the system is asked, with its hosts file', async () => {
  const members = new DnsMembers({ name: { host: 'localhost', port: 9002 }, family: 4 });
  expect(await members.read(never)).toEqual(['127.0.0.1:9002']);
});

test('a name without addresses is a list of nobody, and a server that does not answer is a failure', async () => {
  expect(await new DnsMembers({ name, family: 4 }, { lookup: failing('ENOTFOUND') }).read(never)).toEqual([]);
  const problem = new DnsMembers({ name, family: 4 }, { lookup: failing('EAI_AGAIN') }).read(never);
  await expect(problem).rejects.toThrow('The name dfstore-mesh cannot be looked up (mesh.members.dns).');
  expect(inspect(await problem.catch((error: unknown) => error))).toContain('EAI_AGAIN');
});

test('a question that hangs is not asked again beside itself', async () => {
  let questions = 0;
  let answer: (addresses: readonly string[]) => void = () => undefined;
  const lookup = () => {
    questions += 1;
    return new Promise<readonly string[]>((resolve) => {
      answer = resolve;
    });
  };
  const members = new DnsMembers({ name, family: 4 }, { lookup });
  await expect(members.read(AbortSignal.timeout(1))).rejects.toThrow(/timeout/);
  const second = members.read(never);
  answer(['10.0.0.7']);
  expect(await second).toEqual(['10.0.0.7:9002']);
  expect(questions).toBe(1);
  const third = members.read(never);
  answer(['10.0.0.8']);
  expect(await third).toEqual(['10.0.0.8:9002']);
  expect(questions).toBe(2);
});
