// Numbers as people read them.

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** '512 bytes', '4.0 MiB', '1.5 TiB'. */
export function formatBytes(bytes: number): string {
  let power = 0;
  // 1023.95 would be shown as 1024.0.
  while (bytes / 1024 ** power >= (power === 0 ? 1024 : 1023.95) && power < UNITS.length - 1) power += 1;
  const amount = bytes / 1024 ** power;
  return `${power === 0 ? formatCount(amount) : amount.toFixed(1)} ${bytes === 1 ? 'byte' : UNITS[power]}`;
}

/** '1,234,567'. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

/** '1 piece', '2 pieces'. */
export function formatItems(count: number, singular: string): string {
  return `${formatCount(count)} ${singular}${count === 1 ? '' : 's'}`;
}

/** '42 s', '3 min 5 s', '2 h 10 min', '5 d 3 h'. */
export function formatSeconds(seconds: number): string {
  const whole = Math.floor(seconds);
  const [days, hours, minutes] = [
    Math.floor(whole / 86_400),
    Math.floor(whole / 3_600) % 24,
    Math.floor(whole / 60) % 60,
  ];
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  if (minutes > 0) return `${minutes} min ${whole % 60} s`;
  return seconds < 10 ? `${seconds.toFixed(1)} s` : `${whole} s`;
}
