/** Roles that have a line each; where there are more, those that stand alike share one. */
const mostLines = 30;
/** Of those that share a line, so many are named. */
const mostNamed = 5;

/** Where the roles of a service stand, by role, as lines of Markdown that stay readable however many they are. */
export function progressText(stands: ReadonlyMap<string, string>): string {
  if (stands.size <= mostLines) return [...stands].map(([name, text]) => `- role **${name}**: ${text}`).join('\n');
  const alike = new Map<string, string[]>();
  for (const [name, text] of stands) {
    const names = alike.get(text);
    if (names) names.push(name);
    else alike.set(text, [name]);
  }
  const groups = [...alike].toSorted(([, one], [, other]) => other.length - one.length);
  const lines = groups.slice(0, mostLines).map(([text, names]) => {
    if (names.length === 1) return `- role **${names[0]}**: ${text}`;
    const few = names.slice(0, mostNamed).map((name) => `**${name}**`);
    const more = names.length - few.length;
    return `- ${names.length} roles (${few.join(', ')}${more > 0 ? ` and ${more} more` : ''}): ${text}`;
  });
  const others = groups.slice(mostLines).reduce((sum, [, names]) => sum + names.length, 0);
  return [...lines, ...(others > 0 ? [`- ${others} more roles`] : [])].join('\n');
}
