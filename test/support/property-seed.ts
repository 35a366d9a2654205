// DFSTORE_TEST_SEED=N: properties try the same cases in each run, as CI has it, so that a red run is the change's doing.
// Without it each run has new ones, and a failing one prints its seed.
const seed = process.env.DFSTORE_TEST_SEED;
if (seed !== undefined) {
  const { default: fc } = await import('fast-check');
  fc.configureGlobal({ seed: Number(seed) });
}
