import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectMongodb } from '../../../store/mongo/connection.js';
import { createStore, type Store } from '../../../store/store.js';
import { eventually } from '../../support/processes.js';
import { type Shop, startShop } from '../shop.js';

let running: Shop;
let store: Store;
beforeAll(async () => {
  running = await startShop();
  store = createStore(await connectMongodb(running.mongodb));
});
afterAll(async () => {
  await store?.connection.close();
  await running?.stop();
});

const reserve = (vm: number) => store.hosts.reserve([{ vm, host: 0, capacity: { cpu: 10, memory: 1 } }]);

describe('fsck', () => {
  it('ends with 0 when nothing is found, and prints no data', async () => {
    const { code, out, err } = await running.arcus(['fsck']);
    expect({ code, out }).toEqual({ code: 0, out: '' });
    expect(err).toMatch(/^Check [0-9A-Z]{26} is accepted; its report, also later: arcus fsck --report [0-9A-Z]{26}\n/);
    expect(err).toMatch(
      /Nothing was found: 1 service, 3 VMs, .* 1 host, 3 domains, 0 images, 3 datastores and 0 marketplaces agree\.\n$/,
    );
  });

  it('ends with 1 and a table of what is left, then with 0 when it has repaired that', async () => {
    await reserve(4711);
    const found = await running.arcus(['fsck']);
    expect(found.code).toBe(1);
    expect(found.out).toMatch(/^RESOURCE +FINDING +OUTCOME +WHAT +WHAT TO DO\n/);
    expect(found.out).toMatch(
      /^host 0 +reservation_orphaned +found +0\.1 CPU and 1 MB are reserved for VM 4711, which does/m,
    );
    expect(found.err).toMatch(/1 finding is left after comparing .*\n.*arcus fsck --repair\n$/);
    const [, id = ''] = /--report ([0-9A-Z]{26})/.exec(found.err) ?? [];

    const repaired = await running.arcus(['fsck', '--repair']);
    expect(repaired.code, repaired.err).toBe(0);
    expect(repaired.out).toMatch(/^host 0 +reservation_orphaned +repaired/m);
    expect(repaired.err).toMatch(/All is repaired \(1\): .* agree\.\n$/);

    const again = await running.arcus(['fsck', '--report', id]);
    expect(again).toMatchObject({ code: 1, out: found.out });
  });

  it.each(['json', 'yaml'])('prints the whole report as %s', async (format) => {
    const { code, out } = await running.arcus(['fsck', '-o', format]);
    expect(code).toBe(0);
    expect(out).toMatch(format === 'json' ? /"findings": \[\]/ : /^findings: \[\]$/m);
    expect(out).toMatch(/compared/);
  });

  it('can be left to go on by Ctrl-C, and its report be read later', async () => {
    await reserve(4712);
    const checking = running.begin(['fsck', '--repair']);
    await eventually(() => checking.err().includes('accepted'));
    checking.process.kill('SIGINT');
    const { code, out, err } = await checking.ended;
    expect({ code, out }).toEqual({ code: 130, out: '' });
    const [, id = ''] = /Come back with: arcus operation wait ([0-9A-Z]{26})\n$/.exec(err) ?? [];
    expect((await running.arcus(['operation', 'wait', id])).code).toBe(0);
    const report = await running.arcus(['fsck', '--report', id]);
    expect(report.code, report.err).toBe(0);
    expect(report.out).toMatch(/reservation_orphaned +repaired/);
  });

  it('says what is wrong with how it was called', async () => {
    const none = await running.arcus(['fsck', '--report', '01KAJ3V5Q0F8T4X2M7N9P6R1SC']);
    expect(none).toMatchObject({
      code: 3,
      err: expect.stringMatching(/no check of consistency .*\n.*arcus operation list/),
    });
    expect(await running.arcus(['fsck', '--report', '12'])).toMatchObject({ code: 2 });
    const both = await running.arcus(['fsck', '--repair', '--report', '01KAJ3V5Q0F8T4X2M7N9P6R1SC']);
    expect(both).toMatchObject({ code: 2, err: expect.stringMatching(/--repair: cannot go with --report/) });
  });
});
