// Globs as rules have them: '*' is any characters, '/' among them, '?' exactly one. Not a regular expression, because
// patterns and keys are both other people's: the time is at most the product of their lengths.

export function matchesGlob(pattern: string, text: string): boolean {
  const wanted = [...pattern];
  const given = [...text];
  let at = 0;
  let next = 0;
  // Where to go on when what follows the last '*' does not match: one more character is the star's.
  let afterStar = -1;
  let starEnd = 0;
  while (at < given.length) {
    if (wanted[next] === '*') {
      next += 1;
      afterStar = next;
      starEnd = at;
    } else if (next < wanted.length && (wanted[next] === '?' || wanted[next] === given[at])) {
      next += 1;
      at += 1;
    } else if (afterStar >= 0) {
      next = afterStar;
      starEnd += 1;
      at = starEnd;
    } else {
      return false;
    }
  }
  return wanted.slice(next).every((character) => character === '*');
}
