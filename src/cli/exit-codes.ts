// What the process ends with, for scripts and service managers.
export const EXIT = {
  ok: 0,
  /** It could not start, or failed while it ran. */
  failure: 1,
  /** The command line or the configuration is wrong: starting it again will not help. */
  usage: 2,
} as const;
