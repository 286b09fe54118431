import { describe, expect, it } from 'vitest';
import { Problem } from '../../domain/problems.js';
import { MemoryHypervisor } from '../support/memory-hypervisor.js';
import { simulatedHost, simulatedVm } from '../support/simulated-vm.js';

describe('failures of the memory hypervisor', () => {
  const signal = new AbortController().signal;
  const host = simulatedHost('host-1');
  const outcomes = (hypervisor: MemoryHypervisor) => hypervisor.journal.map(({ vm, outcome }) => `${vm} ${outcome}`);

  it('meet the call that was named, once, before it does anything', async () => {
    const hypervisor = new MemoryHypervisor();
    hypervisor.failOn(2);
    await hypervisor.deploy(simulatedVm(1, host), signal);
    await expect(hypervisor.deploy(simulatedVm(2, host), signal)).rejects.toMatchObject({
      code: 'backend_unavailable',
    });
    await hypervisor.deploy(simulatedVm(2, host), signal);
    expect(outcomes(hypervisor)).toEqual(['1 created', '2 fault', '2 created']);
  });

  it('hide what a call did when they come after its work', async () => {
    const hypervisor = new MemoryHypervisor();
    hypervisor.failOn(1, { when: 'after' });
    await expect(hypervisor.deploy(simulatedVm(1, host), signal)).rejects.toMatchObject({
      code: 'backend_unavailable',
    });
    await hypervisor.deploy(simulatedVm(1, host), signal);
    expect(outcomes(hypervisor)).toEqual(['1 created', '1 exists']);
    expect(hypervisor.timesMade(1)).toBe(1);
  });

  it('meet one VM as often as asked, with the error that was given', async () => {
    const hypervisor = new MemoryHypervisor();
    hypervisor.failVm(1, { times: 2, error: new Problem('deploy_refused', 'no such image') });
    for (const _ of [1, 2]) {
      await expect(hypervisor.deploy(simulatedVm(1, host), signal)).rejects.toMatchObject({ code: 'deploy_refused' });
      await hypervisor.deploy(simulatedVm(2, host), signal);
    }
    await hypervisor.deploy(simulatedVm(1, host), signal);
    expect(hypervisor.domains().map(({ vm }) => vm)).toEqual([2, 1]);
  });

  it('run hooks around each call, before and after its effect', async () => {
    const hypervisor = new MemoryHypervisor();
    const seen: string[] = [];
    hypervisor.beforeEach = ({ call, vm }) => void seen.push(`before ${call} ${vm}: ${hypervisor.domains().length}`);
    hypervisor.afterEach = ({ call, vm }) => void seen.push(`after ${call} ${vm}: ${hypervisor.domains().length}`);
    await hypervisor.deploy(simulatedVm(1, host), signal);
    expect(seen).toEqual(['before deploy 1: 0', 'after deploy 1: 1']);
  });
});
