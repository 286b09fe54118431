import { describe, expect, it } from 'vitest';
import { openApiDocument } from '../../../api/native/openapi.js';
import { apiRoot } from '../../../api/native/route.js';
import { routeTable } from '../../../api/native/route-table.js';

const document = openApiDocument('0.0.0');

type Parameter = { in: string; name: string; schema: Record<string, unknown> };

/** The parameter of this name as the document describes it, of the route with this id. */
function parameter(id: string, name: string): Record<string, unknown> {
  const route = routeTable.find((one) => one.id === id);
  const described = route && document.paths?.[apiRoot + route.path]?.[route.method];
  const parameters: Parameter[] = JSON.parse(JSON.stringify(described?.parameters ?? []));
  return parameters.find((one) => one.name === name)?.schema ?? {};
}

const schema = (id: string) => JSON.parse(JSON.stringify(document.components?.schemas?.[id]));

const matches = ({ pattern }: Record<string, unknown>, text: string): boolean =>
  new RegExp(String(pattern), 'u').test(text);

describe('the OpenAPI document is as strict as the API', () => {
  it('on keys of repeated requests, of every route that starts an operation', () => {
    const starting = routeTable.filter(({ answer }) => answer.status === 202);
    expect(starting.length).toBeGreaterThan(10);
    for (const { id } of starting) {
      const key = parameter(id, 'Idempotency-Key');
      expect(matches(key, 'deploy-7~!'), id).toBe(true);
      for (const wrong of ['', 'a b', 'ä', 'x'.repeat(256)]) expect(matches(key, wrong), wrong).toBe(false);
    }
  });

  it('on what lists are sorted by, and on the fields of their items', () => {
    for (const { id } of routeTable.filter((route) => route.id.startsWith('list'))) {
      const { enum: sorts } = parameter(id, 'sort');
      expect(sorts, id).toEqual(expect.arrayContaining(['id', '-id']));
      const fields = parameter(id, 'fields');
      expect(matches(fields, 'id, created_at') || matches(fields, 'id,name'), id).toBe(true);
      for (const wrong of ['', 'id,', 'nothing', 'id,nothing', 'idid'])
        expect(matches(fields, wrong), wrong).toBe(false);
    }
    expect(parameter('listVms', 'sort').enum).toEqual(['id', '-id', 'name', '-name', 'created_at', '-created_at']);
  });

  it.each<[string, string[]]>([
    ['CreateHost', ['attributes']],
    ['UpdateCluster', ['attributes']],
    ['UpdateVm', ['user_template']],
    ['VmTemplateBody', []],
    ['CreateVm', ['template', 'CONTEXT']],
  ])('on names of attributes: %s %j', (id, path) => {
    const names = path.reduce((at, name: string) => at.properties[name], schema(id)).propertyNames;
    expect(matches(names, 'Ssd_2')).toBe(true);
    for (const wrong of ['', 'a b', '2', 'ä', 'a.b', '$set']) expect(matches(names, wrong), wrong).toBe(false);
  });

  it('on limits: hundredths of a core, and defaults that are not the default', () => {
    const hundredths = { multipleOf: 0.01, anyOf: [{ minimum: 0 }, { enum: [-1, -2] }] };
    expect(schema('UpdateQuota').properties.cpu).toMatchObject(hundredths);
    const { users, groups } = schema('UpdateDefaultQuotas').properties;
    for (const { properties, additionalProperties } of [users, groups]) {
      expect(Object.keys(properties).slice(0, 4)).toEqual(['services', 'vms', 'cpu', 'memory']);
      for (const [name, limit] of Object.entries(properties))
        if (!name.startsWith('per_')) expect(limit).toMatchObject({ not: { const: -1 } });
      expect(JSON.stringify(properties.per_network)).toContain('"not":{"const":-1}');
      expect(additionalProperties).toBe(false);
    }
  });

  it('on the least of a core that a VM may have', () => {
    expect(schema('VmTemplateBody').properties.CPU).toMatchObject({ minimum: 0.01, maximum: 4096 });
  });

  it('on integers: none is greater than those that can be told apart', () => {
    expect(parameter('showVm', 'id')).toMatchObject({ minimum: 0, maximum: 999_999_999_999_999 });
    expect(schema('UpdateQuota').properties.vms).toMatchObject({ minimum: -2, maximum: Number.MAX_SAFE_INTEGER });
    const integers = [...JSON.stringify(document).matchAll(/\{"type":\[?"integer"[^{}]*\}/g)];
    expect(integers.length).toBeGreaterThan(50);
    for (const [text] of integers) expect(text).toMatch(/"maximum":\d+/);
  });
});
