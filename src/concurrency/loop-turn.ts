// Turns of the event loop, for work that would keep everybody else from it: one waiter gets each turn. All who yield by
// setImmediate go on in the same turn, and a small request that comes meanwhile waits for all of them.

const waiting: (() => void)[] = [];

/** Resolves in a turn that nobody else got. */
export function loopTurn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) setImmediate(giveTurn);
  });
}

function giveTurn(): void {
  waiting.shift()?.();
  // What is set now comes after the loop has looked at its sockets again.
  if (waiting.length > 0) setImmediate(giveTurn);
}
