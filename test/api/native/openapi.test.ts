import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { version } from '../../../adapters/process/checkout.js';
import { openApiDocument } from '../../../api/native/openapi.js';
import { apiRoot } from '../../../api/native/route.js';
import { routeTable } from '../../../api/native/route-table.js';
import { describedUploads } from '../../../api/native/storage/uploads-described.js';

const document = openApiDocument(version());

describe('the OpenAPI document', () => {
  it('is the one that is committed (node dist/api/write-openapi.js writes it)', () => {
    const committed: unknown = JSON.parse(
      readFileSync(new URL('../../../docs/api/openapi.json', import.meta.url), 'utf8'),
    );
    expect(committed).toEqual(JSON.parse(JSON.stringify(document)));
  });

  it('describes every route of the table and those of uploads, and each operation id once', () => {
    const described = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method} ${path}`),
    );
    const all = [...routeTable, ...describedUploads];
    expect(described.sort()).toEqual(all.map(({ method, path }) => `${method} ${apiRoot}${path}`).sort());
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  });

  it('points only to schemas that it has', () => {
    const text = JSON.stringify(document);
    const names = new Set(Object.keys(document.components?.schemas ?? {}));
    const pointed = [...text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name);
    expect(pointed.length).toBeGreaterThan(20);
    for (const name of pointed) expect(names).toContain(name);
  });

  it('has only patterns that are regular expressions', () => {
    const patterns = [...JSON.stringify(document).matchAll(/"pattern":("(?:[^"\\]|\\.)*")/g)];
    expect(patterns.length).toBeGreaterThan(0);
    for (const [, pattern = '""'] of patterns) expect(() => new RegExp(JSON.parse(pattern), 'u')).not.toThrow();
    expect(JSON.stringify(patterns.map(([, pattern]) => pattern))).not.toContain('/u');
  });

  it('says that parameters in a path are needed and that none is ever null', () => {
    const parameters = Object.values(document.paths ?? {}).flatMap((item) =>
      Object.values(item).flatMap(
        (operation: { parameters?: { in: string; required: boolean; schema: unknown }[] }) =>
          operation.parameters ?? [],
      ),
    );
    expect(parameters.length).toBeGreaterThan(20);
    for (const { in: place, required, schema } of parameters) {
      expect(JSON.stringify(schema)).not.toContain('"null"');
      if (place === 'path') expect(required).toBe(true);
    }
  });
});
