import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { runArcus } from './run-arcus.js';
import { type RunningArcus, startArcus } from './running-arcus.js';

/** An Arcus with one host, one VM template and one service that runs: shop, of a db and two webs. */
export type Shop = RunningArcus & {
  /** Runs a command that must succeed and say nothing on stderr; returns what it printed, made steady. */
  printed: (...args: string[]) => Promise<string>;
  /** A file in the home; returns its path. */
  file: (name: string, text: string) => string;
};

export async function startShop(): Promise<Shop> {
  const running = await startArcus();
  const printed = async (...args: string[]): Promise<string> => {
    const { code, out, err } = await runArcus(args, { ARCUS_HOME: running.home });
    expect({ code, err }, args.join(' ')).toEqual({ code: 0, err: '' });
    return steady(out);
  };
  const file = (name: string, text: string): string => {
    const path = join(running.home, name);
    writeFileSync(path, text);
    return path;
  };
  await printed('host', 'create', 'host-1', '--cpu', '4', '--memory', '4096');
  await printed('vm-template', 'create', '-f', file('small.tmpl', 'NAME = small # a comment\nCPU=0.5\nMEMORY=256\n'));
  const shop = `{ // two roles
    "name": "shop", "deployment": "straight",
    "roles": [{ "name": "db", "vm_template": 0 }, { "name": "web", "cardinality": 2, "parents": ["db"], "vm_template": 0 }] }`;
  await printed('service-template', 'create', '-f', file('shop.json', shop));
  const deployed = await running.arcus(['service-template', 'instantiate', 'shop', '--wait']);
  expect(deployed, deployed.err).toMatchObject({ code: 0, out: 'deployService of service 1 (shop) succeeded.\n' });
  expect(steady(deployed.err)).toMatch(
    /^service 1 \(shop\): deployService accepted as operation <operation>; waiting for its end\.\n/,
  );
  return { ...running, printed, file };
}

/** Times, ages and ids of operations, cut short or whole, differ from run to run. */
const steady = (text: string): string =>
  text
    .replaceAll(/\b0[0-9A-HJKMNP-TV-Z]{9,25}\b/g, '<operation>')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d/g, '<time>')
    .replaceAll(/\d+d \d\dh\d\d/g, '0d 00h00');
