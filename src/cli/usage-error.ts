// What was asked for on the command line cannot be understood: asking again will not help.
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
