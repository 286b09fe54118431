import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../../client/client.js';
import { collections } from '../../client/collections.js';
import { printableLines } from '../../schemas/common/printable.js';
import type { ServiceResource } from '../../schemas/services/service.js';
import { plainLine, roleLines } from '../sample/service-view.js';

const settled = new Set(['RUNNING', 'WARNING', 'DONE', 'FAILED_DEPLOYING', 'FAILED_UNDEPLOYING', 'FAILED_SCALING']);

/** Where the progress goes: a terminal gets lines that are drawn over, anything else one line for each change. */
export type Screen = { isTTY?: boolean; write: (text: string) => unknown };

/** Shows how a service comes up, until it has settled in a state or `patience` milliseconds have passed. Returns it as it then is. */
export async function watchService(
  api: Client,
  id: number,
  screen: Screen,
  patience: number,
): Promise<ServiceResource> {
  let drawn = 0;
  let told = '';
  for (const until = Date.now() + patience; ; await sleep(150)) {
    const { value: service } = await api.show(collections.service, id);
    if (screen.isTTY === true) {
      const lines = roleLines(service).map(printableLines);
      screen.write(`${drawn > 0 ? `\x1b[${drawn}A` : ''}${lines.map((line) => `\x1b[2K${line}\n`).join('')}`);
      drawn = lines.length;
    } else if (plainLine(service) !== told) {
      told = plainLine(service);
      screen.write(`arcus: ${printableLines(told)}\n`);
    }
    if (settled.has(service.state) || Date.now() > until) return service;
  }
}
