// Waits for what is under way, but not for ever.

/** Resolves when all have settled, or after the limit. None may reject. */
export async function settledWithin(promises: readonly Promise<void>[], limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  await Promise.race([Promise.all(promises), limit]);
  clearTimeout(timer);
}
