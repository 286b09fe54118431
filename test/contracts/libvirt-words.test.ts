import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { markIn, titleOf } from '../../adapters/hypervisor/libvirt/domain-title.js';
import { listedIn } from '../../adapters/hypervisor/libvirt/domains.js';
import { uptimeIn } from '../../adapters/hypervisor/libvirt/uptime.js';
import { type Virsh, virshAt } from '../../adapters/hypervisor/libvirt/virsh.js';
import { lineOf } from '../../adapters/hypervisor/libvirt/virsh-words.js';
import { problemOf } from '../../domain/problems.js';
import { isLibvirtMissing, LibvirtHost } from '../support/libvirt-hosts.js';

const { signal } = new AbortController();

it('how long a host has been up is summed up of what virsh says of its processors', () => {
  expect(uptimeIn('user:           3\nsystem:         4\nidle:  1000\niowait:  2\n\n')).toBe(1_009);
  expect(uptimeIn('error: this is not supported')).toBeNull();
});

describe.skipIf(isLibvirtMissing())('what virsh is told', () => {
  let host: LibvirtHost;
  let virsh: Virsh;
  beforeAll(async () => {
    host = await LibvirtHost.start('host-1', { cpu: 100, memory: 100 });
    virsh = virshAt(host.uri, host.name);
  });
  afterAll(() => {
    virsh.close();
    host.close();
  });

  it('is told as it is, whatever is in a word', async () => {
    const word = fc.oneof(
      fc.string({ minLength: 1, maxLength: 200 }),
      fc.string({ unit: fc.constantFrom("'", '"', '\\', ';', '$', '`', '!', '#', ' ', '-', 'é', '界', '\n') }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: 4 }), async (words) => {
        const told = words.map((text) => `=${text}`);
        const isPlain = told.every((text) => /^[^\p{Cc}\u2028\u2029]*$/u.test(text));
        const said = await virsh.ask(['echo', ...told], signal).catch((error: unknown) => problemOf(error)?.code);
        expect(said).toEqual(isPlain ? { text: told.join(' '), refusal: null } : 'invalid_request');
      }),
      { numRuns: 200 },
    );
  });

  it('is one command, of which each word is one', () => {
    expect(lineOf(['desc', 'a b', "it's; reboot"])).toBe("'desc' 'a b' 'it'\\''s; reboot'");
    expect(() => lineOf(['echo', 'a\nreboot'])).toThrow('cannot be told');
  });

  it('fails with what virsh says, and the next is answered', async () => {
    expect(await virsh.ask(['dominfo', 'nope'], signal)).toMatchObject({
      refusal: expect.stringContaining("failed to get domain 'nope'"),
    });
    expect(await virsh.ask(['echo', 'on'], signal)).toEqual({ text: 'on', refusal: null });
  });

  it('that nobody answers is a host that cannot be reached, which is named', async () => {
    const nobody = virshAt('qemu+unix:///system?socket=/nonexistent/sock', 'host-9');
    for (const way of ['ask', 'work'] as const) {
      const problem = problemOf(await nobody[way](['list'], signal).catch((error: unknown) => error));
      expect(problem?.code).toBe('backend_unavailable');
      expect(problem?.message).toContain('host-9 cannot be reached');
    }
    nobody.close();
  });
});

describe('what libvirt lists', () => {
  const [one, two, three] = [1, 2, 3].map((digit) => `00000000-0000-4000-8000-00000000000${digit}`);
  const mark = { installation: 'ours', vm: 7, epoch: 3, capacity: { cpu: 50, memory: 96 } };

  it('is found in its tables, with names and titles of others that look like ours', () => {
    const table = [
      ` 1    one-7-ours   running    ${titleOf(mark)}`,
      ' -    my own  vm   shut off',
      ` 4    x   running   ${titleOf(mark)}`,
      ' -    crashed      shut off   a title',
    ].join('\n');
    const uuids = `${one} one-7-ours\n${two} my own  vm\n${three} crashed\n`;
    const stats = [
      "Domain: 'one-7-ours'",
      ...['cpu.time=12', 'balloon.maximum=98304', 'balloon.rss=50000', 'vcpu.maximum=1'].map((line) => `  ${line}`),
      ...['net.count=2', 'net.0.rx.bytes=5', 'net.1.rx.bytes=6', 'block.count=1', 'block.0.wr.reqs=9'].map(
        (l) => `  ${l}`,
      ),
      "Domain: 'crashed'",
      ...['state.state=5', 'state.reason=3', 'vcpu.maximum=2', 'balloon.maximum=1048576'].map((line) => `  ${line}`),
    ].join('\n');
    const found = listedIn(table, uuids, stats);
    expect(found).toMatchObject([
      {
        ...{
          name: 'one-7-ours',
          uuid: one,
          state: 'running',
          mark,
          capacity: mark.capacity,
          cpuTime: 12,
          memory: 50_000,
        },
        counters: { netrx: 11, nettx: 0, diskwriops: 9 },
      },
      { name: 'my own  vm', uuid: two, state: 'stopped', mark: null },
      { name: 'crashed', uuid: three, state: 'failed', mark: null, capacity: { cpu: 200, memory: 1_024 } },
    ]);
    expect(found).toHaveLength(3);
  });

  it('is ours by a title that has every word of it', () => {
    expect(markIn(titleOf(mark))).toEqual(mark);
    for (const text of ['', 'arcus', `${titleOf(mark)} `, titleOf(mark).replace('epoch', 'epochs')])
      expect(markIn(text)).toBeNull();
  });
});
