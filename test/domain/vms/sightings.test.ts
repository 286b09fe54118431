import { describe, expect, it } from 'vitest';
import {
  isLostAnew,
  isMissed,
  judgeSighting,
  type Sighted,
  type SightedDomain,
  type SightedVm,
  stoppedOutside,
} from '../../../domain/vms/sightings.js';
import { nextVmState } from '../../../domain/vms/vm-events.js';
import { storedVmState, type VmStateName, vmStateName } from '../../../domain/vms/vm-states.js';

const stay = { seq: 0, hid: 1, hostname: 'host-1', vm_mad: 'simulated', epoch: 2 } as const;
const vm = (name: VmStateName, over: Partial<SightedVm> = {}): SightedVm => ({
  ...{ _id: 7, ...storedVmState(name), epoch: 3 },
  history: [{ ...stay, stime: new Date(0), etime: null, reason: 'none' }],
  ...over,
});
const silence = { lost: { hid: 1, epoch: 3 } };
const running = vm('ACTIVE/RUNNING');
const struck = vm('ACTIVE/RUNNING', { sighting: { look: 'a', missing: true } });
const with7 = (domain?: Partial<SightedDomain>): Sighted => ({
  name: 'host-1',
  domains: new Map(domain ? [[7, { epoch: 2, state: 'running', ...domain }]] : []),
});
const anew = (domain?: Partial<SightedDomain>): Sighted => ({ ...with7(domain), anew: true });
const startedAnew: [string, string] = ['ACTIVE/UNKNOWN', 'its host host-1 was started anew'];
const lostAnew: Partial<SightedVm> = { lost: { hid: 1, epoch: 3, anew: true } };
const silent = (was: 'MONITORED' | 'ERROR' | 'DISABLED'): Sighted => ({ name: 'host-1', error: 'no route', was });

describe('what monitoring makes of a VM at which nobody works:', () => {
  it.each<[string, SightedVm, Sighted, string | null, string | null]>([
    ['one that runs as it should', running, with7({}), null, null],
    ['one that is missing for the first time', running, with7(), null, null],
    ['one that is missing again', struck, with7(undefined), 'POWEROFF', stoppedOutside],
    ['one that was missed and is there again', struck, with7({}), 'clear', null],
    ['one that was missed and boots', struck, with7({ state: 'booting' }), 'clear', null],
    ['one that has stopped', struck, with7({ state: 'stopped' }), 'POWEROFF', stoppedOutside],
    ['one that has crashed', struck, with7({ state: 'failed' }), 'ACTIVE/UNKNOWN', 'its guest crashed on host-1'],
    ['one that has stopped with its host, which was started anew', struck, anew({ state: 'stopped' }), ...startedAnew],
    ['one that is gone with it', struck, anew(), ...startedAnew],
    ['one that runs there again', struck, anew({}), 'clear', null],
    ['one that was suspended there', struck, anew({ state: 'suspended' }), 'SUSPENDED', 'suspended outside Arcus'],
    ['one that was lost with it', vm('ACTIVE/UNKNOWN', silence), anew({ state: 'stopped' }), ...startedAnew],
    ['one that is known to be lost so', vm('ACTIVE/UNKNOWN', lostAnew), with7({ state: 'stopped' }), null, null],
    ['one that was lost so, and runs again', vm('ACTIVE/UNKNOWN', lostAnew), with7({}), 'ACTIVE/RUNNING', null],
    ['one of which an earlier domain is there', struck, with7({ epoch: 1, state: 'stopped' }), null, null],
    ['one whose host has just fallen silent', running, silent('MONITORED'), null, null],
    [
      'one whose host stays silent',
      running,
      silent('ERROR'),
      'ACTIVE/UNKNOWN',
      'its host host-1 does not answer: no route',
    ],
    ['one whose disabled host is silent for the first time', running, silent('DISABLED'), null, null],
    [
      'one whose disabled host stays silent',
      struck,
      silent('DISABLED'),
      'ACTIVE/UNKNOWN',
      'its host host-1 does not answer: no route',
    ],
    ['an UNKNOWN one that runs', vm('ACTIVE/UNKNOWN'), with7({}), 'ACTIVE/RUNNING', null],
    ['an UNKNOWN one of which an earlier domain runs', vm('ACTIVE/UNKNOWN'), with7({ epoch: 1 }), null, null],
    ['an UNKNOWN one that is not there', vm('ACTIVE/UNKNOWN'), with7(), null, null],
    [
      'an UNKNOWN one whose host was silent, and on which it is stopped',
      vm('ACTIVE/UNKNOWN', silence),
      with7({ state: 'stopped' }),
      'ACTIVE/UNKNOWN',
      'its host host-1 answers again, and it is stopped there',
    ],
    [
      'an UNKNOWN one whose host was silent, and on which it is no more',
      vm('ACTIVE/UNKNOWN', silence),
      with7(),
      'ACTIVE/UNKNOWN',
      'its host host-1 answers again, and it is not there',
    ],
    [
      'an UNKNOWN one whose host was silent, and on which it boots',
      vm('ACTIVE/UNKNOWN', silence),
      with7({ state: 'booting' }),
      null,
      null,
    ],
    [
      'an UNKNOWN one that is suspended',
      vm('ACTIVE/UNKNOWN', silence),
      with7({ state: 'suspended' }),
      'SUSPENDED',
      'suspended outside Arcus',
    ],
    [
      'an UNKNOWN one that could not be removed after its host was silent, and is stopped',
      vm('ACTIVE/UNKNOWN', { lost: { hid: 1, epoch: 2 } }),
      with7({ state: 'stopped' }),
      null,
      null,
    ],
    [
      'an UNKNOWN one that was lost with another host, and is stopped',
      vm('ACTIVE/UNKNOWN', { lost: { hid: 2, epoch: 3 } }),
      with7({ state: 'stopped' }),
      null,
      null,
    ],
    [
      'an UNKNOWN one that nobody knows why, and is stopped',
      vm('ACTIVE/UNKNOWN'),
      with7({ state: 'stopped' }),
      null,
      null,
    ],
    ['an UNKNOWN one whose host is silent', vm('ACTIVE/UNKNOWN'), silent('ERROR'), null, null],
    ['one that had failed to boot, and runs after all', vm('ACTIVE/BOOT_FAILURE'), with7({}), 'ACTIVE/RUNNING', null],
    ['one that had failed to boot, and boots', vm('ACTIVE/BOOT_FAILURE'), with7({ state: 'booting' }), null, null],
    ['one that had failed to boot, whose host is silent', vm('ACTIVE/BOOT_FAILURE'), silent('ERROR'), null, null],
    ['one that had failed to boot under a later epoch', vm('ACTIVE/BOOT_FAILURE'), with7({ epoch: 1 }), null, null],
    ['a SUSPENDED one that runs again', vm('SUSPENDED'), with7({}), 'ACTIVE/RUNNING', null],
    ['a POWEROFF one that runs again', vm('POWEROFF'), with7({}), 'ACTIVE/RUNNING', null],
    ['a POWEROFF one that boots', vm('POWEROFF'), with7({ state: 'booting' }), null, null],
    ['a POWEROFF one that is not there', vm('POWEROFF'), with7(), null, null],
    ['a POWEROFF one whose host is silent', vm('POWEROFF'), silent('ERROR'), null, null],
  ])('%s', (_, seen, host, becomes, reason) => {
    const verdict = judgeSighting(seen, host);
    if (verdict === null || verdict === 'clear') {
      expect(verdict).toBe(becomes);
      return;
    }
    expect(nextVmState(vmStateName(seen), verdict.event)).toBe(becomes);
    expect(verdict.reason).toBe(reason);
    const isSilence = becomes === 'ACTIVE/UNKNOWN' && 'error' in host;
    const isAnew = reason === startedAnew[1];
    expect(verdict.lost).toEqual(isSilence ? silence.lost : isAnew ? lostAnew.lost : undefined);
  });

  it('a look misses what it does not find running, but not on a host that has only just fallen silent', () => {
    expect(isMissed(running, with7())).toBe(true);
    expect(isMissed(running, with7({ state: 'stopped' }))).toBe(true);
    expect(isMissed(running, with7({}))).toBe(false);
    expect(isMissed(running, with7({ state: 'booting' }))).toBe(false);
    expect(isMissed(running, silent('MONITORED'))).toBe(false);
    expect(isMissed(running, silent('DISABLED'))).toBe(true);
  });
});

it('one that its host has lost by being started anew is that until it runs, or something is done with it', () => {
  const lost = vm('ACTIVE/UNKNOWN', lostAnew);
  expect(isLostAnew(lost, with7({ state: 'stopped' }))).toBe(true);
  expect(isLostAnew(lost, with7())).toBe(true);
  expect(isLostAnew(lost, with7({}))).toBe(false);
  expect(isLostAnew(lost, silent('ERROR'))).toBe(false);
  expect(isLostAnew(vm('ACTIVE/UNKNOWN', silence), with7())).toBe(false);
  expect(isLostAnew({ ...lost, epoch: 4 }, with7())).toBe(false);
});
