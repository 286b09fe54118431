import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { HostNetworks } from '../../adapters/network/port.js';
import { problemOf } from '../../domain/problems.js';
import { filterOf, nicOf, onBridge } from '../support/nics.js';

export type NetworkWorld = {
  /** Of one host, for one installation. */
  networks: HostNetworks;
  close(): void;
};

/** What the networks of every kind of host must do. */
export function networkContract(name: string, make: () => NetworkWorld): void {
  describe(`networks of ${name} hosts`, () => {
    let world: NetworkWorld;
    let host: HostNetworks;
    let last = 100;
    const { signal } = new AbortController();
    beforeAll(() => {
      world = make();
      host = world.networks;
    });
    afterAll(() => world.close());
    beforeEach(() => {
      last += 1;
    });

    const mine = async () => (await host.found(signal)).filter(({ vm }) => vm === last);
    const refusal = async (call: Promise<unknown>) =>
      problemOf(
        await call.then(
          () => undefined,
          (error: unknown) => error,
        ),
      )?.code;

    it('plugs a NIC once, however often it is asked', async () => {
      for (const _ of [1, 2]) await host.plug(nicOf(last), signal);
      expect(await mine()).toEqual([{ vm: last, nic: 0, epoch: 1, bridge: 'onebr7', revision: 1 }]);
      await Promise.all([1, 2, 3].map(() => host.plug(nicOf(last), signal)));
      expect(await mine()).toHaveLength(1);
    });

    it('leaves nothing of a NIC, whether there was one or not, and all of the others', async () => {
      const other = { ...nicOf(last), nic: 1 };
      await host.unplug(nicOf(last), signal);
      await Promise.all([host.plug(nicOf(last), signal), host.plug(other, signal)]);
      for (const _ of [1, 2]) await host.unplug(nicOf(last), signal);
      expect(await mine()).toEqual([{ vm: last, nic: 1, epoch: 1, bridge: 'onebr7', revision: 1 }]);
      await host.unplug(other, signal);
      expect(await mine()).toEqual([]);
    });

    it('is had by the newest holder: older ones change nothing', async () => {
      await host.plug(nicOf(last, { epoch: 5 }), signal);
      expect(await refusal(host.plug(nicOf(last, { epoch: 4, filter: filterOf({ revision: 9 }) }), signal))).toBe(
        'stale_epoch',
      );
      expect(await refusal(host.unplug(nicOf(last, { epoch: 4 }), signal))).toBe('stale_epoch');
      expect(await mine()).toMatchObject([{ epoch: 5, revision: 1 }]);
      await host.plug(nicOf(last, { epoch: 6 }), signal);
      expect(await mine()).toMatchObject([{ epoch: 6, revision: 1 }]);
      expect(await refusal(host.unplug(nicOf(last, { epoch: 5 }), signal))).toBe('stale_epoch');
      await host.unplug(nicOf(last, { epoch: 7 }), signal);
      expect(await mine()).toEqual([]);
    });

    it('has the latest filter, whichever comes last', async () => {
      const secure = (revision: number) => host.secure({ vm: last, nic: 0, filter: filterOf({ revision }) }, signal);
      await secure(7);
      expect(await mine(), 'one that is not there').toEqual([]);
      await host.plug(nicOf(last), signal);
      for (const revision of [3, 2, 3]) await secure(revision);
      expect(await mine()).toMatchObject([{ epoch: 1, revision: 3 }]);
      // A step that read what was said before it was changed.
      await host.plug(nicOf(last, { epoch: 2, filter: filterOf({ revision: 2 }) }), signal);
      expect(await mine()).toMatchObject([{ epoch: 2, revision: 3 }]);
      await Promise.all([8, 5, 6, 9, 7].map(secure));
      expect(await mine()).toMatchObject([{ epoch: 2, revision: 9 }]);
      await host.unplug(nicOf(last, { epoch: 2 }), signal);
      await secure(10);
      expect(await mine()).toEqual([]);
    });

    it('stays with a newer holder who comes while an older one lets go, in whatever order', async () => {
      for (let epoch = 1; epoch < 13; epoch += 2) {
        await host.plug(nicOf(last, { epoch }), signal);
        const [leaving, coming] = await Promise.allSettled([
          host.unplug(nicOf(last, { epoch }), signal),
          host.plug(nicOf(last, { epoch: epoch + 1 }), signal),
        ]);
        expect(coming.status).toBe('fulfilled');
        if (leaving.status === 'rejected') expect(problemOf(leaving.reason)?.code).toBe('stale_epoch');
        expect(await mine(), `epoch ${epoch}`).toMatchObject([{ epoch: epoch + 1, bridge: 'onebr7' }]);
      }
    });

    it('has a network as long as any NIC is on it, when many come and go at once', async () => {
      const wire = onBridge(`onebr${last}`);
      const nics = [0, 1, 2, 3, 4, 5].map((nic) => ({ ...nicOf(last, { wire }), nic }));
      for (let round = 0; round < 3; round += 1) {
        const [some, others] = [nics.slice(0, 3), nics.slice(3)];
        await Promise.all(some.map((nic) => host.plug(nic, signal)));
        await Promise.all([
          ...some.map((nic) => host.unplug(nic, signal)),
          // Each twice: a try that was given up runs on beside the next.
          ...[...others, ...others].map((nic) => host.plug(nic, signal)),
        ]);
        const found = (await mine()).sort((one, other) => one.nic - other.nic);
        expect(found).toMatchObject(others.map(({ nic }) => ({ nic, bridge: wire.bridge, revision: 1 })));
        await Promise.all(others.map((nic) => host.unplug(nic, signal)));
        expect(await mine()).toEqual([]);
      }
    });

    it('stops when it is told to, and is done when it is asked again', async () => {
      for (const after of [0, 5, 10, 20]) {
        const controller = new AbortController();
        const reason = new Error('enough');
        const call = host.plug(nicOf(last), controller.signal).then(
          () => 'done',
          (error: unknown) => error,
        );
        setTimeout(() => controller.abort(reason), after);
        expect([reason, 'done']).toContain(await call);
      }
      await host.plug(nicOf(last), signal);
      expect(await mine()).toMatchObject([{ bridge: 'onebr7', revision: 1 }]);
      await host.unplug(nicOf(last), signal);
      expect(await mine()).toEqual([]);
    });
  });
}
