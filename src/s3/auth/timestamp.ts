// The three ways a signed request tells its time.

const BASIC = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

/** YYYYMMDDTHHMMSSZ, ISO 8601's basic form; undefined when it is not one, or no such instant. */
export function parseTimestamp(text: string): Date | undefined {
  const [, year, month, day, hour, minute, second] = BASIC.exec(text) ?? [];
  if (year === undefined) return undefined;
  const date = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return !Number.isNaN(date.getTime()) && formatTimestamp(date) === text ? date : undefined;
}

/** The Date header: HTTP's format (RFC 9110 §5.6.7), or the basic form that some clients put there. */
export function parseDateHeader(text: string): Date | undefined {
  const basic = parseTimestamp(text);
  if (basic !== undefined) return basic;
  if (!/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} (GMT|UTC|[+-]0000)$/.test(text)) return undefined;
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

export function formatTimestamp(date: Date): string {
  return `${date.toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
}
