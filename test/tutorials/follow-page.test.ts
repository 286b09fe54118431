import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { followPage, type Place } from './follow-page.js';
import { openShell, type Shell } from './shell.js';

// What executes the tutorials, on a page that needs no Arcus: a shell's own commands.

const page = `# A page

Write \`greeting.txt\`:

\`\`\`text
Hello, world of 3 VMs
\`\`\`

\`\`\`console
$ cat greeting.txt
Hello, world of 3 VMs
$ printf 'one\\ntwo\\nthree\\n'
one
…
$ echo "it took 3.2 s, at 2026-11-22T14:00:00.000Z, by 01M833KN5G6TSH5XTYTRE5TJV1"
it took 210 ms, at 2026-01-01T00:00:00.000Z, by 01KAJ3V5Q0F8T4X2M7N9P6R1SC
\`\`\`

Each look makes it longer, so look until it is long enough:

<!-- look again -->

\`\`\`console
$ echo x >> length; wc -l < length
3
\`\`\`

A question:

<!-- typed: Ann -->

\`\`\`console
$ read -p 'Who are you? [name] ' name; echo "I am \${name}."
Who are you? [name] I am Ann.
$ echo 'arcus: no such thing' && false
arcus: no such thing
$ (trap 'echo; echo left; exit' INT; echo waiting; sleep 60)
waiting
^C
left
\`\`\`
`;

let directory: string;
let shell: Shell;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'arcus-page-'));
  shell = await openShell(directory, { HOME: directory });
});
afterAll(async () => {
  await shell.close();
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
});

const place = (): Place => ({ shell, another: () => openShell(directory, {}), inWords: (line) => line });
/** The page as it was, or as it was written anew. */
const follow = async (text: string, anew = false) => {
  let written = text;
  rmSync(join(directory, 'length'), { force: true });
  const options = anew ? { anew: (page: string) => (written = page) } : {};
  await followPage('page.md', text, place(), options);
  return written;
};

describe('a page that is followed', () => {
  it('is as it should be when every command shows what it says, whatever times and ids are', async () => {
    await follow(page);
  });

  const mutations: [what: string, from: string, to: string, says: RegExp][] = [
    ['a wrong word', '$ cat greeting.txt\nHello', '$ cat greeting.txt\nGoodbye', /page\.md:10: \$ cat greeting\.txt/],
    ['a wrong number', 'world of 3 VMs\n$', 'world of 4 VMs\n$', /page\.md:10/],
    ['a file that is another', 'Hello, world of 3 VMs\n```\n\n', 'Hello, world of 4 VMs\n```\n\n', /page\.md:10/],
    ['a line too few', 'one\n…\n', 'one\n', /page\.md:12/],
    ['a line too many', 'one\n…\n', 'one\n…\nfour\n', /page\.md:12/],
    ['another answer', 'typed: Ann', 'typed: Bob', /page\.md:\d+[\s\S]*I am Bob/],
    ['a failure that it does not tell', 'false\narcus: no such thing', 'false\n…', /page\.md:\d+.*\nends with 1/],
  ];
  it.each(mutations)('is refused for %s, at its line', async (_what, from, to, says) => {
    expect(page).toContain(from);
    await expect(follow(page.replace(from, to))).rejects.toThrow(says);
  });

  it('is refused for a block that is neither a console nor a named file', async () => {
    await expect(follow(page.replace('`greeting.txt`:', 'this.'))).rejects.toThrow(/line 5/);
  });

  it('is written anew where it says otherwise, and nowhere else', async () => {
    const wrong = page.replace('Hello, world of 3 VMs\n$', 'Bye\n$').replace('one\n…', 'none\n…');
    expect(await follow(wrong, true)).toBe(page.replace('one\n…', 'one\ntwo\nthree'));
  });
});
