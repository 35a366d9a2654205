// A client of whose calls OwnerCalls hears: whoever was waited for in vain by one part of a gateway is not waited for by
// the next, so that a reader meets a gateway that hangs once, and not once for its name and again for its pieces.
import type { MemberId } from './member.ts';
import type { OwnerCalls } from './owner-calls.ts';
import type { MeshClient } from './transport.ts';

type Asking = Pick<MeshClient, 'ask' | 'lines'>;

export function notingClient(client: Asking, calls: Pick<OwnerCalls, 'note' | 'answered'>): Asking {
  const noted = async <T>(to: MemberId, asking: Promise<T>): Promise<T> => {
    try {
      const answer = await asking;
      calls.answered(to);
      return answer;
    } catch (error) {
      calls.note(to, error);
      throw error;
    }
  };
  return {
    ask: (to, call, body, signal) => noted(to, client.ask(to, call, body, signal)),
    lines: (to, call, body, signal) => noted(to, client.lines(to, call, body, signal)),
  };
}
