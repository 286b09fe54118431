import fc from 'fast-check';
import { expect, it } from 'vitest';
import { firstOf, restartedAt, restartOf, restartWindow } from '../../../domain/failover/restarts.js';
import type { Restarts } from '../../../schemas/vms/vm.js';

const now = new Date('2026-12-01T12:00:00Z');
const ago = (minutes: number): Date => new Date(now.getTime() - minutes * 60_000);

it('is so often within an hour, and then not before somebody has done something with it', () => {
  const restarts = (...minutes: number[]): Restarts => ({ at: minutes.map(ago), given_up: null });
  expect(restartOf({ epoch: 1 }, 2, now)).toEqual({ do: 'restart' });
  expect(restartOf({ epoch: 3, restarts: restarts(50) }, 2, now)).toEqual({ do: 'restart' });
  expect(restartOf({ epoch: 4, restarts: restarts(50, 10) }, 2, now)).toEqual({
    ...{ do: 'give_up' },
    why: 'its guest has crashed, and was started again 2 times within 60 min: not again by itself',
  });
  expect(restartOf({ epoch: 4, restarts: restarts(90, 61) }, 2, now)).toEqual({ do: 'restart' });
  const given = { ...restarts(50, 10), given_up: 4 };
  expect(restartOf({ epoch: 4, restarts: given }, 2, ago(-600))).toEqual({ do: 'nothing' });
  expect(restartOf({ epoch: 5, restarts: given }, 2, ago(-600))).toEqual({ do: 'restart' });
  expect(restartOf({ epoch: 1 }, 0, now)).toEqual({ do: 'nothing' });
});

it('is never more often than that within any hour, however often its guest crashes', () => {
  const crashes = fc.array(fc.integer({ min: 0, max: 50 * 60_000 }), { maxLength: 60 });
  fc.assert(
    fc.property(crashes, fc.integer({ min: 0, max: 6 }), fc.boolean(), (gaps, most, resumed) => {
      let [at, epoch] = [0, 1];
      let restarts: Restarts = { at: [], given_up: null };
      const done: number[] = [];
      for (const gap of gaps) {
        at += gap;
        const moment = new Date(at);
        const verdict = restartOf({ epoch, restarts }, most, moment);
        if (verdict.do === 'restart') {
          restarts = restartedAt(restarts, moment);
          done.push(at);
        } else if (verdict.do === 'give_up') restarts = { at: restarts.at, given_up: epoch };
        // Whoever starts it again raises its epoch.
        if (verdict.do === 'restart' || resumed) epoch += 1;
        expect(restarts.at.length).toBeLessThanOrEqual(most);
      }
      for (const one of done)
        expect(done.filter((other) => other >= one && other - one < restartWindow).length).toBeLessThanOrEqual(most);
    }),
  );
});

it('goes by the order of roles: none before what it stands on is up', () => {
  const of = (role: string | null) => ({ service: role === null ? null : { id: 1, role, ordinal: 0 } });
  const before = (vm: ReturnType<typeof of>) => (vm.service?.role === 'back' ? ['1/front'] : []);
  const [alone, front, back] = [of(null), of('front'), of('back')];
  expect(firstOf([back, alone, front], before, new Set())).toEqual([alone, front]);
  expect(firstOf([back, alone], before, new Set(['1/front']))).toEqual([alone]);
  expect(firstOf([back], before, new Set(['2/front']))).toEqual([back]);
});
