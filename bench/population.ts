import type { Arcus } from './arcus.js';
import { oneRole } from './bench.js';

const vmsEach = 4;
const atOnce = 50;

export type Population = {
  /** Deploys services of four VMs, fifty at once, until so many VMs run. */
  growTo(vms: number): Promise<void>;
  /** Undeploys what is beyond so many services. */
  shrinkTo(services: number): Promise<void>;
};

/** Services that stay, for the rows that need a populated cloud. */
export function populationOf(arcus: Arcus): Population {
  const services: number[] = [];
  return {
    async growTo(vms) {
      while (services.length * vmsEach < vms) {
        const lacking = Math.ceil(vms / vmsEach) - services.length;
        const roles = oneRole(vmsEach);
        const ids = await Promise.all(Array.from({ length: Math.min(atOnce, lacking) }, () => arcus.deploy(roles)));
        await arcus.reach(ids, 'RUNNING');
        services.push(...ids);
      }
    },
    async shrinkTo(count) {
      while (services.length > count) {
        const ids = services.splice(Math.max(count, services.length - atOnce));
        await Promise.all(ids.map((id) => arcus.undeploy(id)));
        await arcus.reach(ids, 'DONE');
      }
    },
  };
}
