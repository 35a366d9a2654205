// Turns of the event loop, for work that would keep everybody else from it: one waiter gets each turn. All who yield by
// setImmediate go on in the same turn, and a small request that comes meanwhile waits for all of them.
//
// And the end of a turn, for answers to the requests that came in it. All are made ready first and then sent together:
// code that runs for one request after another is in the processor's caches, from which the bytes of an answer push it.

/** So that the first of a thousand requests does not wait until the last is understood. */
const TOGETHER = 16;

const waiting: (() => void)[] = [];
const answering: (() => void)[] = [];

/** Resolves in a turn that nobody else got. */
export function loopTurn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) setImmediate(giveTurn);
  });
}

/** Resolves when what came in this turn has been looked at, or much of it: before anybody gets a turn. */
export function turnEnd(): Promise<void> {
  return new Promise((resolve) => {
    answering.push(resolve);
    if (answering.length === 1) setImmediate(endTurn);
    if (answering.length === TOGETHER) endTurn();
  });
}

function giveTurn(): void {
  endTurn();
  waiting.shift()?.();
  // What is set now comes after the loop has looked at its sockets again.
  if (waiting.length > 0) setImmediate(giveTurn);
}

function endTurn(): void {
  for (const go of answering.splice(0)) go();
}
