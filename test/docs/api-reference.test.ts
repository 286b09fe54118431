import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { needsInWords } from '../../api/native/needs-words.js';
import { apiReference } from '../../api/native/reference/api-reference.js';
import { limitsReference } from '../../api/native/reference/limits-reference.js';
import { problemReference } from '../../api/native/reference/problem-reference.js';
import { apiRoot } from '../../api/native/route.js';
import { routeTable } from '../../api/native/route-table.js';
import { isProblemCode, problems } from '../../domain/problems.js';

const committed = (name: string): string =>
  readFileSync(new URL(`../../docs/reference/${name}`, import.meta.url), 'utf8');

describe('the reference of the API', () => {
  it.each([
    ['api.md', apiReference],
    ['problems.md', problemReference],
    ['limits.md', limitsReference],
  ])('%s is what the table of routes says; write it anew with node dist/api/write-reference.js', (name, write) => {
    expect(committed(name)).toBe(write());
  });

  it('has every route once, with its rights, its answer and an example', () => {
    const sections = committed('api.md').split(/^### /m);
    for (const { id, method, path, needs, answer } of routeTable) {
      const its = sections.filter((section) => section.includes(`Operation id: \`${id}\``));
      expect(its, id).toHaveLength(1);
      expect(its[0]).toContain(`\`\`\`\n${method.toUpperCase()} ${apiRoot}${path}\n\`\`\``);
      expect(its[0]).toContain(`**Rights:** ${needsInWords(needs)}.`);
      expect(its[0]).toContain(`**Answer:** ${answer.status}`);
      expect(its[0]).toMatch(/^Example[\s\S]*```\n(GET|POST|PUT|PATCH|DELETE) /m);
    }
  });

  it('has every problem, with what to do', () => {
    const text = committed('problems.md');
    for (const code of Object.keys(problems).filter(isProblemCode)) {
      const section = text.split(`\n## ${code}\n`)[1] ?? '';
      expect(section, code).toMatch(/^\n\*\*.+\*\* `\/problems\/.+`, status \d+\.\n\n.+\.\n\n\*\*What to do:\*\* .+\./);
    }
  });
});
