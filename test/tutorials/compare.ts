/** Whatever differs from run to run, and how it is written on both sides before they are compared: all that is forgiven. */
const rules: readonly (readonly [what: string, pattern: RegExp, instead: string])[] = [
  ['ids of operations, cut short or whole', /\b0[0-9A-HJKMNP-TV-Z]{9,25}\b/g, '<operation>'],
  ['ids of runs', /\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, '<run>'],
  ['dates with times', /\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?Z)?/g, '<time>'],
  ['times', /\b\d\d:\d\d:\d\dZ?/g, '<time>'],
  ['ages', /\b\d+d \d\dh\d\d\b/g, '<age>'],
  ['durations', /\bless\s+than\s+a\s+second\b|\b\d+(\.\d+)?\s+(ms|s|min|h|d)\b(\s+\d+\s+(s|min|h)\b)?/g, '<duration>'],
  ['ports of this machine', /\b127\.0\.0\.1:\d+/g, '127.0.0.1:<port>'],
  ['waits for hosts that a busy machine keeps from answering', /^Waiting: capacity for .*\n?/gm, ''],
  ['secrets of tokens', /\barcus_[A-Za-z0-9]{8}(_[A-Za-z0-9_-]+)?/g, '<token>'],
];

const normalised = (text: string): string =>
  rules.reduce((written, [, pattern, instead]) => written.replaceAll(pattern, instead), text);

/**
 * Whether a command has shown what its page says. Times and the like are forgiven by rule, and so is where lines are broken
 * and how far columns are apart, since both follow from them. A line of the page that is `…` stands for any lines, and `…`
 * within a line for anything there.
 */
export function isShown(page: readonly string[], seen: readonly string[]): boolean {
  const pattern = normalised(page.join('\n'))
    .split('\n')
    .map((line) => (line.trim() === '…' ? anyLines : line.trim().split('…').map(escaped).join('[^\\n]*')))
    .join('\\s+')
    .replaceAll(`\\s+${anyLines}`, anyLines)
    .replaceAll(`${anyLines}\\s+`, anyLines);
  return new RegExp(`^\\s*${pattern}\\s*$`).test(normalised(seen.join('\n')));
}

const anyLines = '(?:[\\s\\S]*)';

const escaped = (text: string): string =>
  text
    .split(/\s+/)
    .map((word) => word.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`))
    .join('\\s+');
