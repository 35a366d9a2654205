// Seeds of requests that once were answered as none may be; thrown first in every run.
export const KEPT_SEEDS: readonly number[] = [396170519, 396170555];
